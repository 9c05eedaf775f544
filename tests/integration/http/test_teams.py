"""Teams (platform §3)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.model.audit import AuditAction
from tests.integration.world.audits import events
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World


@pytest.fixture
async def tenant(world: World) -> Tenant:
    return await world.tenant()


async def call(world: World, endpoint: str, key: str, /, **body: Any) -> httpx.Response:
    return await world.gateway.post(f"/{endpoint}", key, body)


async def teams(world: World, key: str) -> list[dict[str, Any]]:
    data = (await world.gateway.get("/listTeams", key)).json()["data"]
    assert data["count"] == len(data["teams"])
    listed: list[dict[str, Any]] = data["teams"]
    return listed


async def test_a_team_is_created_changed_and_deleted(world: World, tenant: Tenant) -> None:
    owner, users = tenant.keys["owner"], tenant.users
    made = await call(world, "createTeam", owner, name=" Sales ", memberIds=[users["member"], users["guest"]])
    team = made.json()["data"]

    assert set(team) == {"teamId", "name", "memberIds", "createdAt"}
    assert (team["name"], team["memberIds"]) == ("Sales", [users["member"], users["guest"]])
    renamed = await call(world, "updateTeam", tenant.keys["admin"], teamId=team["teamId"], name="Support")
    assert renamed.json()["data"] == {**team, "name": "Support"}
    emptied = await call(world, "updateTeam", owner, teamId=team["teamId"], memberIds=[])
    assert emptied.json()["data"]["memberIds"] == []
    await call(world, "createTeam", owner, name="art")
    assert [listed["name"] for listed in await teams(world, tenant.keys["member"])] == ["art", "Support"]
    gone = await call(world, "deleteTeam", owner, teamId=team["teamId"])
    assert gone.json()["data"] == {"teamId": team["teamId"]}
    assert [listed["name"] for listed in await teams(world, owner)] == ["art"]
    assert len(await events(world, tenant.organization_id, AuditAction.TEAM_CHANGED)) == 4
    assert len(await events(world, tenant.organization_id, AuditAction.TEAM_REMOVED)) == 1


@pytest.mark.parametrize("body", [{}, {"name": " "}, {"name": "x" * 101}, {"name": "A", "memberIds": "x"}])
async def test_a_team_without_a_usable_name_or_members_is_refused(
    world: World, tenant: Tenant, body: dict[str, Any]
) -> None:
    assert (await call(world, "createTeam", tenant.keys["owner"], **body)).status_code == 400
    assert await teams(world, tenant.keys["owner"]) == []


async def test_only_members_are_in_teams(world: World, tenant: Tenant) -> None:
    body = {"name": "A", "memberIds": [tenant.users["member"], world.south.users["member"]]}

    answer = await call(world, "createTeam", tenant.keys["owner"], **body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "NOT_A_MEMBER")


async def test_a_member_sees_teams_and_changes_none(world: World, tenant: Tenant) -> None:
    made = (await call(world, "createTeam", tenant.keys["owner"], name="A")).json()["data"]
    member = tenant.keys["member"]

    answers = [
        await call(world, "createTeam", member, name="B"),
        await call(world, "updateTeam", member, teamId=made["teamId"], name="B"),
        await call(world, "deleteTeam", member, teamId=made["teamId"]),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert await teams(world, member) == [made]


async def test_a_team_of_another_organization_is_not_found(world: World, tenant: Tenant) -> None:
    made = (await call(world, "createTeam", tenant.keys["owner"], name="A")).json()["data"]
    stranger = world.south.keys["owner"]

    changed = await call(world, "updateTeam", stranger, teamId=made["teamId"], name="B")
    deleted = await call(world, "deleteTeam", stranger, teamId=made["teamId"])

    assert [answer.json()["error"]["code"] for answer in (changed, deleted)] == ["TEAM_NOT_FOUND"] * 2
    assert await teams(world, tenant.keys["owner"]) == [made]
