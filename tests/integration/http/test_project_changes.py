"""Renaming, completing and taking up projects, and what else moves their status (platform §4)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from shared.model.audit import AuditAction
from shared.model.project import ProjectStatus
from shared.store import refs
from shared.store.store import Patch
from tests.integration.world.products import Product, data_of, refusal_of
from tests.integration.world.projects import audit_log, new_project
from tests.integration.world.world import World

DETAILS = {
    "id",
    "name",
    "description",
    "status",
    "hasPublishedProcess",
    "createdBy",
    "createdAt",
    "archived",
    "processId",
    "currentDeployment",
    "stageCount",
    "currentStage",
}
DOCUMENT = {"stage": 1, "title": "Requirements", "content": "# Text", "summary": "A text"}
S = ProjectStatus


async def update(world: World, project_id: str, user: str = "owner", **body: Any) -> httpx.Response:
    return await world.gateway.post(
        "/updateProjectPublic", world.north.keys[user], {"projectId": project_id, **body}
    )


async def put(world: World, project_id: str, status: ProjectStatus) -> None:
    await world.platform.store.commit(Patch(refs.project(project_id), {"status": status}))


async def test_a_project_goes_from_draft_to_completed_and_is_taken_up_by_whatever_is_done_to_it(
    product: Product,
) -> None:
    async def status() -> str:
        return (await product.project()).status.value

    async def upload() -> None:
        body = {"projectId": product.project_id, "documents": [DOCUMENT]}
        assert (await product.post("/deployUseCaseDocuments", body)).status_code == 200

    async def complete() -> None:
        body = {"projectId": product.project_id, "status": "completed"}
        assert data_of(await product.post("/updateProjectPublic", body))["status"] == "completed"

    seen = [await status()]
    await upload()
    seen.append(await status())
    await complete()
    await upload()
    seen.append(await status())
    await complete()
    deployed = await product.deploy("v1")
    seen.append(await status())
    await product.publish(deployed["templateId"])
    seen.append(await status())
    later = await product.deploy("v2")
    seen.append(await status())
    await complete()
    assert (await product.publish(later["templateId"])).status_code == 200
    seen.append(await status())

    assert seen == ["draft", *["in_progress"] * 3, "completed", "in_progress", "completed"]


async def test_a_deploy_alone_takes_a_draft_up(product: Product) -> None:
    assert (await product.project()).status is S.DRAFT

    await product.deploy("v1")

    assert (await product.project()).status is S.IN_PROGRESS


@pytest.mark.parametrize(
    ("before", "after"),
    [(S.DRAFT, S.IN_PROGRESS), (S.IN_PROGRESS, S.COMPLETED), (S.COMPLETED, S.IN_PROGRESS)],
)
async def test_a_status_is_moved_by_hand(world: World, before: ProjectStatus, after: ProjectStatus) -> None:
    project_id = await new_project(world)
    await put(world, project_id, before)

    answer = await update(world, project_id, status=after.value)

    assert answer.status_code == 200, answer.text
    assert set(answer.json()["data"]) == DETAILS
    assert answer.json()["data"]["status"] == after.value


@pytest.mark.parametrize(
    ("before", "after"), [(S.DRAFT, S.COMPLETED), (S.IN_PROGRESS, S.DRAFT), (S.COMPLETED, S.DRAFT)]
)
async def test_a_move_there_is_not_is_refused_and_changes_nothing(
    world: World, before: ProjectStatus, after: ProjectStatus
) -> None:
    project_id = await new_project(world)
    await put(world, project_id, before)

    answer = await update(world, project_id, status=after.value, name="Other")

    assert refusal_of(answer) == (400, "INVALID_STATUS")
    assert f"{before.value} cannot become {after.value}" in answer.json()["error"]["message"]
    found = await world.platform.store.get(refs.project(project_id))
    assert found is not None
    assert (found.value.status, found.value.name) == (before, "Inbox")


async def test_name_and_description_change_alone_or_together(world: World) -> None:
    project_id = await new_project(world)

    renamed = await update(world, project_id, name="  Letters ")
    described = await update(world, project_id, description="Sorts letters")

    assert (renamed.json()["data"]["name"], renamed.json()["data"]["description"]) == ("Letters", "")
    assert described.json()["data"]["name"] == "Letters"
    assert described.json()["data"]["description"] == "Sorts letters"


async def test_what_is_so_already_is_no_change(world: World) -> None:
    project_id = await new_project(world)
    for _ in range(2):
        assert (await update(world, project_id, name="Letters", status="in_progress")).status_code == 200

    entries = await audit_log(world, project_id)

    assert [entry.action for entry in entries] == [AuditAction.PROJECT_CREATED, AuditAction.PROJECT_UPDATED]


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x" * 101}, {"status": "archived"}, {"description": "x" * 5_001}]
)
async def test_nothing_to_change_or_nothing_usable_is_refused(world: World, body: dict[str, Any]) -> None:
    project_id = await new_project(world)

    assert refusal_of(await update(world, project_id, **body)) == (400, "INVALID_REQUEST")


async def test_who_may_not_see_a_project_changes_nothing_of_it(world: World) -> None:
    project_id = await new_project(world)

    assert refusal_of(await update(world, project_id, "member", name="Mine")) == (403, "FORBIDDEN")
    assert refusal_of(await update(world, "nothing", name="Mine")) == (404, "PROJECT_NOT_FOUND")


async def test_changes_at_the_same_time_are_all_made(world: World) -> None:
    project_id = await new_project(world)

    answers = await asyncio.gather(
        update(world, project_id, name="Letters"),
        update(world, project_id, description="Sorts letters"),
        update(world, project_id, status="in_progress"),
    )

    assert [answer.status_code for answer in answers] == [200] * 3
    found = await world.platform.store.get(refs.project(project_id))
    assert found is not None
    project = found.value
    assert (project.name, project.description) == ("Letters", "Sorts letters")
    assert project.status is S.IN_PROGRESS
