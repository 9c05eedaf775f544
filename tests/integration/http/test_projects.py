"""Creating projects (api §5.5)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.store import refs
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
