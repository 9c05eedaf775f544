"""Reading and exporting the audit log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction
from shared.model.scopes import Scope
from shared.services.audit import audited
from shared.services.secrets import PLATFORM
from tests.integration.world.tenants import Tenant, create_tenant
from tests.integration.world.world import World

OLD = 1203


@pytest.fixture(scope="module")
async def tenant(world: World) -> Tenant:
    """An organization with 1203 changes by its owner and 7 by its admin, in one another's midst."""
    made = await create_tenant(world.platform, "Comptoir Est", world.n8n)
    entries = []
    for number in range(OLD):
        admins = number % 200 == 100
        action = AuditAction.API_KEY_CREATED if number % 2 else AuditAction.PROJECT_CREATED
        user = made.users["admin" if admins else "owner"]
        entries.append(
            audited(world.platform, user, action, made.organization_id, f"t{number}", number=number)
        )
    for start in range(0, OLD, 200):
        await world.platform.store.commit(*entries[start : start + 200])
    return made


async def listed(world: World, key: str, **query: str | int) -> httpx.Response:
    return await world.gateway.get("/listAuditEvents", key, **query)


async def test_pages_hold_every_entry_once_newest_first(world: World, tenant: Tenant) -> None:
    seen: list[str] = []
    query: dict[str, str | int] = {"limit": 100}
    while True:
        answer = await listed(world, tenant.keys["owner"], **query)
        assert answer.status_code == 200, answer.text
        assert world.gateway.line_of(answer)["firestore"]["roundTrips"] <= 3
        data = answer.json()["data"]
        seen += [event["target"] for event in data["events"]]
        if "next" not in data:
            break
        query["after"] = data["next"]

    assert seen == [f"t{number}" for number in reversed(range(OLD))]


async def test_an_entry_tells_who_did_what(world: World, tenant: Tenant) -> None:
    before = world.platform.sources.now()
    made = await world.gateway.post("/createProjectViaApiKey", tenant.keys["member"], {"name": "Inbox"})
    (event,) = (await listed(world, tenant.keys["admin"], limit=1)).json()["data"]["events"]

    assert event["target"] == made.json()["data"]["projectId"]
    assert event["action"] == "project.created"
    assert event["actorUserId"] == tenant.users["member"]
    assert event["actorKeyPrefix"] == tenant.keys["member"][:12]
    assert event["requestId"] == made.headers["x-request-id"]
    assert event["createdAt"].endswith("Z")
    assert world.platform.sources.now() - before < timedelta(seconds=20)
    await world.platform.store.client.document(
        f"organizations/{tenant.organization_id}/auditEvents/{event['eventId']}"
    ).delete()


async def test_filters_by_action_and_actor_hold_together(world: World, tenant: Tenant) -> None:
    owner, admin = tenant.keys["owner"], tenant.users["admin"]

    async def targets(**query: str | int) -> list[str]:
        data = (await listed(world, owner, **query)).json()["data"]
        return [event["target"] for event in data["events"]]

    assert await targets(actorUserId=admin) == ["t1100", "t900", "t700", "t500", "t300", "t100"]
    assert await targets(action="api_key.created", limit=2) == ["t1201", "t1199"]
    assert await targets(action="project.created", actorUserId=admin, limit=2) == ["t1100", "t900"]
    assert await targets(action="member.added") == []
    assert len(await targets()) == 50
    assert len(await targets(limit=1000)) == 100


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": "many"}, {"action": "nothing.done"}])
async def test_a_broken_query_is_refused(world: World, tenant: Tenant, query: dict[str, Any]) -> None:
    answer = await listed(world, tenant.keys["owner"], **query)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("path", ["/listAuditEvents", "/exportAuditEvents"])
async def test_only_managers_read_the_log_and_only_their_own(world: World, tenant: Tenant, path: str) -> None:
    id_ = tenant.organization_id
    outsider = await world.north.key(kind=KeyKind.PERSONAL)
    administrator = await world.north.key(kind=KeyKind.ADMIN)
    owner_without = await tenant.key(scopes=(Scope.PROJECTS_READ,))

    async def status(key: str, **query: str) -> int:
        return (await world.gateway.get(path, key, **query)).status_code

    assert await status(tenant.keys["owner"]) == 200
    assert await status(tenant.keys["admin"], organizationId=id_) == 200
    assert await status(await tenant.key("admin", kind=KeyKind.PERSONAL)) == 200
    assert await status(administrator, organizationId=id_) == 200
    assert await status(administrator, organizationId=PLATFORM) == 200
    assert await status(administrator) == 400
    assert await status(tenant.keys["member"]) == 403
    assert await status(await tenant.key("member", kind=KeyKind.PERSONAL)) == 403
    assert await status(owner_without) == 403
    assert await status(world.north.keys["owner"], organizationId=id_) == 403
    assert await status(outsider, organizationId=id_) == 403
    assert await status(tenant.keys["owner"], organizationId=PLATFORM) == 403


async def test_an_export_holds_every_entry_oldest_first_in_lines(world: World, tenant: Tenant) -> None:
    answer = await world.gateway.get("/exportAuditEvents", tenant.keys["owner"])

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["x-request-id"]
    events = [httpx.Response(200, content=line).json() for line in answer.text.splitlines()]
    assert [event["target"] for event in events if "number" in event["details"]] == [
        f"t{number}" for number in range(OLD)
    ]
    assert {event["organizationId"] for event in events} == {tenant.organization_id}


async def test_an_export_is_sent_while_it_is_read(world: World, tenant: Tenant) -> None:
    """Page by page: the first lines are there before the last were asked for."""
    headers = {"X-API-Key": tenant.keys["owner"]}
    async with world.gateway.http.stream("GET", "/exportAuditEvents", headers=headers) as answer:
        chunks = [len(chunk) async for chunk in answer.aiter_raw()]

    assert "content-length" not in answer.headers
    assert len(chunks) >= 3
