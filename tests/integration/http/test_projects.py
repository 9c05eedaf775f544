"""Creating, listing, showing and archiving projects (api §5.5, §5.6, §5.7)."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction
from shared.model.project import CurrentDeployment
from shared.store import refs
from shared.store.store import Patch
from tests.integration.world.projects import audit_log, new_project
from tests.integration.world.tenants import create_tenant
from tests.integration.world.world import World


async def create(world: World, key: str, **body: Any) -> httpx.Response:
    return await world.gateway.post("/createProjectViaApiKey", key, body)


@pytest.mark.parametrize("user", ["owner", "admin", "member"])
async def test_every_role_creates_drafts_that_belong_to_the_keys_user(world: World, user: str) -> None:
    answer = await create(world, world.north.keys[user], name="Inbox", description="Sorts mail")

    project = await world.platform.store.get(refs.project(answer.json()["data"]["projectId"]))
    assert project is not None
    assert project.value.organization_id == world.north.organization_id
    assert project.value.created_by == world.north.users[user]
    assert (project.value.name, project.value.description) == ("Inbox", "Sorts mail")
    assert (project.value.status, project.value.stage_count) == ("draft", 2)


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x" * 101}, {"name": 5}, {"name": "a", "templateId": "three_stage"}]
)
async def test_a_project_without_a_usable_name_or_template_is_refused(
    world: World, body: dict[str, Any]
) -> None:
    answer = await create(world, world.north.keys["owner"], **body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


async def test_an_organizations_key_creates_in_its_own_organization_alone(world: World) -> None:
    own = {"name": "a", "organizationId": world.north.organization_id}
    foreign = {"name": "a", "organizationId": world.south.organization_id}

    assert (await create(world, world.north.keys["owner"], **own)).status_code == 200
    answer = await create(world, world.north.keys["owner"], **foreign)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("kind", [KeyKind.PERSONAL, KeyKind.ADMIN])
async def test_a_key_of_no_organization_must_name_one(world: World, kind: KeyKind) -> None:
    key = await world.north.key(kind=kind)

    unnamed = await create(world, key, name="a")
    named = await create(world, key, name="a", organizationId=world.north.organization_id)
    unknown = await create(world, key, name="a", organizationId="nothing")

    assert (unnamed.status_code, unnamed.json()["error"]["code"]) == (400, "ORGANIZATION_ID_REQUIRED")
    assert named.status_code == 200
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "ORGANIZATION_NOT_FOUND")


async def test_a_personal_key_creates_nothing_where_its_user_is_no_member(world: World) -> None:
    key = await world.north.key(kind=KeyKind.PERSONAL)

    answer = await create(world, key, name="a", organizationId=world.south.organization_id)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


async def test_a_name_is_kept_without_the_space_around_it_and_space_alone_is_none(world: World) -> None:
    project_id = await new_project(world, name="  Inbox \n")

    assert (await details(world, project_id))["name"] == "Inbox"
    blank = await create(world, world.north.keys["owner"], name=" \t\n")
    assert (blank.status_code, blank.json()["error"]["code"]) == (400, "INVALID_REQUEST")


async def test_creating_a_project_is_told_the_audit_log(world: World) -> None:
    project_id = await new_project(world, name="Audited")

    (entry,) = await audit_log(world, project_id)
    assert (entry.action, entry.actor_user_id) == (AuditAction.PROJECT_CREATED, world.north.users["owner"])


LISTED = {
    "id",
    "name",
    "description",
    "status",
    "hasPublishedProcess",
    "createdBy",
    "createdAt",
    "archived",
}


async def test_a_list_shows_eight_fields_of_each_project_newest_first(world: World) -> None:
    first, second = [await new_project(world, name=name) for name in ("First", "Second")]

    data = await listed(world, world.north.keys["owner"], limit=2)

    assert set(data) == {"projects", "count", "organizationId"}
    assert [project["id"] for project in data["projects"]] == [second, first]
    assert all(set(project) == LISTED for project in data["projects"])
    assert (data["count"], data["organizationId"]) == (2, world.north.organization_id)
    newest = data["projects"][0]
    assert (newest["description"], newest["status"], newest["archived"]) == ("", "draft", False)
    assert (newest["hasPublishedProcess"], newest["createdBy"]) == (False, world.north.users["owner"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", newest["createdAt"])


async def test_members_see_their_own_projects_and_managers_see_all(world: World) -> None:
    of_owner = await new_project(world)
    of_member = await new_project(world, user="member")

    seen = {
        user: {project["id"] for project in (await listed(world, key, limit=100))["projects"]}
        for user, key in world.north.keys.items()
    }

    assert {of_owner, of_member} <= seen["owner"] & seen["admin"]
    assert of_member in seen["member"]
    assert of_owner not in seen["member"]
    assert not {of_owner, of_member} & seen["guest"]
    foreign = await listed(world, world.south.keys["owner"], limit=100)
    assert not {of_owner, of_member} & {project["id"] for project in foreign["projects"]}


async def test_archived_projects_are_listed_alone_and_only_when_asked_for(world: World) -> None:
    key = world.north.keys["owner"]
    kept, away = await new_project(world), await new_project(world)
    assert (await archive(world, key, away)).json()["data"] == {"projectId": away, "archived": True}

    shown = {p["id"] for p in (await listed(world, key, limit=100))["projects"]}
    archived = {p["id"] for p in (await listed(world, key, archived="true", limit=100))["projects"]}

    assert (kept in shown, away in shown) == (True, False)
    assert (kept in archived, away in archived) == (False, True)
    assert (await details(world, away))["archived"] is True
    assert (await archive(world, key, away, "unarchiveProject")).status_code == 200
    assert away in {p["id"] for p in (await listed(world, key, limit=100))["projects"]}


async def test_archiving_twice_is_one_change_and_a_stranger_archives_nothing(world: World) -> None:
    project_id = await new_project(world)
    for _ in range(2):
        assert (await archive(world, world.north.keys["admin"], project_id)).status_code == 200

    for key in (world.north.keys["member"], world.south.keys["owner"]):
        assert (await archive(world, key, project_id, "unarchiveProject")).status_code == 403

    actions = [entry.action for entry in await audit_log(world, project_id)]
    assert actions == [AuditAction.PROJECT_CREATED, AuditAction.PROJECT_ARCHIVED]


async def test_a_page_is_fifty_projects_unless_asked_otherwise_and_never_more_than_a_hundred(
    world: World,
) -> None:
    tenant = await create_tenant(world.platform, "Many", world.n8n)
    await asyncio.gather(*(new_project(world, tenant, name=f"p{n}") for n in range(103)))
    key = tenant.keys["owner"]

    assert (await listed(world, key))["count"] == 50
    assert (await listed(world, key, limit=7))["count"] == 7
    assert (await listed(world, key, limit=100))["count"] == 100
    assert (await listed(world, key, limit=5000))["count"] == 100
    assert (await listed(world, tenant.keys["guest"])) == {
        "projects": [],
        "count": 0,
        "organizationId": tenant.organization_id,
    }


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "-3"}, {"limit": "many"}, {"limit": "1.5"}])
async def test_a_limit_below_one_or_no_number_is_refused(world: World, query: dict[str, str]) -> None:
    answer = await world.gateway.get("/listProjectsPublic", world.north.keys["owner"], **query)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


async def test_a_key_of_no_organization_lists_the_one_it_names(world: World) -> None:
    project_id = await new_project(world, user="member")
    north = world.north.organization_id
    personal = await world.north.key("member", kind=KeyKind.PERSONAL)
    admin = await world.south.key(kind=KeyKind.ADMIN)

    unnamed = await world.gateway.get("/listProjectsPublic", admin)
    assert (unnamed.status_code, unnamed.json()["error"]["code"]) == (400, "ORGANIZATION_ID_REQUIRED")
    for key in (personal, admin):
        data = await listed(world, key, organizationId=north, limit=100)
        assert project_id in {project["id"] for project in data["projects"]}
    mine = await listed(world, personal, organizationId=north, limit=100)
    assert {project["createdBy"] for project in mine["projects"]} == {world.north.users["member"]}
    south = await world.gateway.get(
        "/listProjectsPublic", personal, organizationId=world.south.organization_id
    )
    assert south.status_code == 403


async def test_a_project_has_twelve_fields_and_those_unset_are_null(world: World) -> None:
    project_id = await new_project(world)

    project = await details(world, project_id)

    assert set(project) == LISTED | {"processId", "currentDeployment", "stageCount", "currentStage"}
    assert (project["processId"], project["currentDeployment"]) == (None, None)
    assert (project["id"], project["stageCount"], project["currentStage"]) == (project_id, 2, 1)


async def test_a_deployed_project_names_its_process_and_version(world: World) -> None:
    project_id = await new_project(world)
    at = datetime(2026, 4, 4, 10, tzinfo=UTC)
    deployed = {"process_id": "p1", "current_deployment": CurrentDeployment(version="1.3", deployed_at=at)}
    await world.platform.store.commit(Patch(refs.project(project_id), deployed))

    project = await details(world, project_id)

    assert project["processId"] == "p1"
    assert project["currentDeployment"] == {"version": "1.3", "deployedAt": "2026-04-04T10:00:00.000Z"}


async def test_a_project_is_shown_to_its_creator_to_managers_and_to_administrators(world: World) -> None:
    project_id = await new_project(world, user="member")
    admitted = [
        *(world.north.keys[user] for user in ("owner", "admin", "member")),
        await world.south.key(kind=KeyKind.ADMIN),
        await world.north.key("member", kind=KeyKind.PERSONAL),
    ]
    refused = [
        world.north.keys["guest"],
        world.south.keys["owner"],
        await world.south.key(kind=KeyKind.PERSONAL),
        await world.north.key("guest", kind=KeyKind.PERSONAL),
    ]

    for key in admitted:
        assert (await show(world, key, project_id)).status_code == 200
    for key in refused:
        answer = await show(world, key, project_id)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (403, "FORBIDDEN")
        assert "permission denied" in error["message"].lower()
        assert "access" in error["message"]
        assert "Inbox" not in answer.text


@pytest.mark.parametrize("project_id", ["nothing", "", "a/b", "../organizations", "__x__", "ü" * 900])
async def test_a_project_nobody_knows_is_not_found(world: World, project_id: str) -> None:
    answer = await show(world, world.north.keys["owner"], project_id)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "PROJECT_NOT_FOUND")
    assert "not found" in answer.json()["error"]["message"]


async def test_lists_and_details_cost_two_reads_of_the_database(world: World) -> None:
    project_id = await new_project(world)
    key = world.north.keys["owner"]

    answers = [
        await world.gateway.get("/listProjectsPublic", key, limit=3),
        await show(world, key, project_id),
    ]

    for answer in answers:
        assert world.gateway.line_of(answer)["firestore"]["roundTrips"] == 2


async def listed(world: World, key: str, **query: str | float) -> dict[str, Any]:
    answer = await world.gateway.get("/listProjectsPublic", key, **query)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def show(world: World, key: str, project_id: str) -> httpx.Response:
    return await world.gateway.post("/getProjectPublic", key, {"projectId": project_id})


async def details(world: World, project_id: str) -> dict[str, Any]:
    answer = await show(world, world.north.keys["owner"], project_id)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def archive(
    world: World, key: str, project_id: str, endpoint: str = "archiveProject"
) -> httpx.Response:
    return await world.gateway.post(f"/{endpoint}", key, {"projectId": project_id})
