"""Refused callers of privileged endpoints are in the audit log, of their own organization alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction, AuditEvent
from shared.model.scopes import Scope
from shared.services.secrets import PLATFORM
from shared.store import refs
from shared.store.query import below, find
from tests.integration.world.endpoints import ALL
from tests.integration.world.gateway import eventually
from tests.integration.world.installations import Installation
from tests.integration.world.world import World


async def refusals(world: World, organization_id: str, key: str) -> list[AuditEvent]:
    """The entries about refusals of one key, oldest first."""
    query = below(refs.organization(organization_id), "auditEvents", AuditEvent)
    found = await find(world.platform.store, query)
    events = [event.value for event in found if event.value.action is AuditAction.ACCESS_REFUSED]
    return [event for event in events if event.actor_key_prefix == key[:12]]


async def test_a_refusal_by_scope_names_actor_endpoint_code_and_request(world: World) -> None:
    key = await world.north.key("member", scopes=(Scope.SKILLS_READ,))
    answer = await world.gateway.post("/createProjectViaApiKey", key, {"name": "a"})

    assert answer.status_code == 403
    (event,) = await refusals(world, world.north.organization_id, key)
    assert event.actor_user_id == world.north.users["member"]
    assert event.details == {
        "endpoint": "createProjectViaApiKey",
        "code": "INSUFFICIENT_SCOPE",
        "named": {},
    }
    assert event.request_id == answer.headers["x-request-id"]


async def test_a_refusal_by_the_service_names_the_ids_that_were_sent(
    world: World, installed: Installation
) -> None:
    key = await world.south.key()
    body = {"projectId": "somebodys", "configuration": {"secret": "text"}}
    await world.gateway.post(f"/webhook/{installed.path}", key, {"secret": "text"})
    other = await world.gateway.post(
        "/createProjectViaApiKey", key, {"name": "a", "organizationId": world.north.organization_id, **body}
    )

    assert other.status_code == 403
    events = await refusals(world, world.south.organization_id, key)
    named: dict[str, Any] = {str(event.details["endpoint"]): event.details["named"] for event in events}
    assert named == {
        "triggerWebhookPublic": {"processInstanceId": installed.id, "workflowId": "main"},
        "createProjectViaApiKey": {"organizationId": world.north.organization_id, "templateId": "two_stage"},
    }
    # The organization whose object it was does not hear of it.
    assert await refusals(world, world.north.organization_id, key) == []


async def test_a_key_of_no_organization_is_in_the_platforms_log(world: World) -> None:
    key = await world.north.key(kind=KeyKind.PERSONAL, scopes=())
    await world.gateway.post("/createProjectViaApiKey", key, {"name": "a"})

    assert [e.details["code"] for e in await refusals(world, PLATFORM, key)] == ["INSUFFICIENT_SCOPE"]


async def test_a_hundred_refusals_are_one_entry_for_each_endpoint(
    world: World, installed: Installation
) -> None:
    key = await world.south.key()
    paths = ["/createProjectViaApiKey", f"/webhook/{installed.path}"]
    foreign = {"name": "a", "organizationId": world.north.organization_id}
    answers = await asyncio.gather(*(world.gateway.post(paths[n % 2], key, foreign) for n in range(100)))

    assert {answer.status_code for answer in answers} == {403}
    assert len(await refusals(world, world.south.organization_id, key)) == 2


async def test_a_refused_read_is_no_entry(world: World, installed: Installation) -> None:
    key = await world.south.key()
    answer = await world.gateway.get(f"/getProcessSkillsPublic/{installed.id}", key)

    assert answer.status_code == 403
    assert await refusals(world, world.south.organization_id, key) == []


async def test_the_use_of_a_revoked_or_expired_key_is_an_entry(world: World) -> None:
    for options in ({"revoked": True}, {"expires_in": timedelta(seconds=-1)}):
        key = await world.north.key(**options)
        answer = await world.gateway.post("/createProjectViaApiKey", key, {"name": "a"})

        assert answer.status_code == 401
        entries = await refusals(world, world.north.organization_id, key)
        assert [e.details["code"] for e in entries] == ["UNAUTHORIZED"]
        assert world.gateway.line_of(answer)["firestore"]["roundTrips"] == 1


def test_what_changes_something_is_known_from_its_declaration() -> None:
    reads = {endpoint.name for endpoint in ALL if not endpoint.changes}

    assert {"verifyApiKey", "getExecutionStatusPublic", "getProcessSkillsPublic"} <= reads
    assert not {"createProjectViaApiKey", "deployProcessUseCase", "triggerWebhookPublic"} & reads


async def test_a_use_is_noted_for_every_kind_of_key(world: World, installed: Installation) -> None:
    keys = [installed.key, await world.north.key(), await world.north.key(kind=KeyKind.ADMIN)]
    for key in keys:
        answer = await world.gateway.post(f"/webhook/{installed.path}", key)
        again = await world.gateway.post(f"/webhook/{installed.path}", key)

        writes = [world.gateway.line_of(a)["firestore"]["writes"] for a in (answer, again)]
        assert writes == [2, 1]


async def test_a_burst_notes_one_use(world: World, installed: Installation) -> None:
    key = await world.north.key()
    answers = await asyncio.gather(
        *(world.gateway.get(f"/getProcessSkillsPublic/{installed.id}", key) for _ in range(30))
    )

    lines = await eventually(lambda: [world.gateway.line_of(answer) for answer in answers])
    assert sum(line["firestore"]["writes"] for line in lines) == 1
