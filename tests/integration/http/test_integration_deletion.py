"""Deleting integrations, in two steps when something depends on them (api §5.16)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.model.instance import InactiveReason
from shared.model.integrations import ContextType, Holder, credential_id
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Patch
from tests.integration.world.ensembles import install_ensemble
from tests.integration.world.installations import Installation
from tests.integration.world.integrations import CUSTOM, connected, listed, record
from tests.integration.world.n8n import ScriptedN8n
from tests.integration.world.world import World

OPENAI = {"OPENAI_API_KEY": "sk"}


async def delete(
    world: World, integration_id: str, key: str | None = None, *, context: str = "organization", **more: Any
) -> httpx.Response:
    body = {"integrationId": integration_id, "contextType": context, "confirmDeletion": False, **more}
    return await world.gateway.post("/deleteIntegrationPublic", key or world.north.keys["owner"], body)


async def test_unconfirmed_nothing_happens_even_when_nothing_depends_on_it(world: World) -> None:
    made = await connected(world, "openai", OPENAI)
    answer = await delete(world, "openai")

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"success", "data", "requestId"}
    assert body["success"] is False
    assert body["requestId"] == answer.headers["x-request-id"]
    assert set(body["data"]) == {"message", "pendingDeactivations"}
    assert body["data"]["pendingDeactivations"] == {"count": 0, "processes": []}
    assert made in world.n8n.credentials.stored
    assert ("organization", "openai") in await listed(world)


async def test_confirmed_credential_and_record_are_gone_for_good(world: World) -> None:
    made = await connected(world, "openai", OPENAI)
    first = await delete(world, "openai", confirmDeletion=True)
    again = [await delete(world, "openai", confirmDeletion=sure) for sure in (True, False)]

    assert first.json()["success"] is True
    assert set(first.json()["data"]) == {"message", "deactivatedCount"}
    assert first.json()["data"]["deactivatedCount"] == 0
    assert made not in world.n8n.credentials.stored
    assert await record(world, "openai") is None
    for answer in again:
        assert (answer.status_code, answer.json()["success"]) == (200, True)
        assert "already deleted or does not exist" in answer.json()["data"]["message"]
        assert "deactivatedCount" not in answer.json()["data"]


async def test_what_never_was_is_deleted_with_success(world: World) -> None:
    for uid in ("nothing", "slack", "cstm_never"):
        answer = await delete(world, uid, confirmDeletion=True)

        assert (answer.status_code, answer.json()["success"]) == (200, True)


async def test_what_a_dead_connection_left_in_n8n_goes_with_the_deletion(world: World) -> None:
    organization = world.south.organization_id
    left = credential_id(Holder(ContextType.ORGANIZATION, organization, organization), "pinecone")
    world.n8n.credentials.stored[left] = {"type": "pineconeApi", "name": "left", "data": {}}
    answer = await delete(world, "pinecone", world.south.keys["owner"], confirmDeletion=True)

    assert answer.json()["success"] is True
    assert left not in world.n8n.credentials.stored


async def test_dependants_are_named_and_once_confirmed_stopped(world: World) -> None:
    schema: Any = {"customIntegrationSchema": {**CUSTOM, "id": "cstm_needed"}}
    made = await connected(world, "cstm_needed", {"ACME_TOKEN": "t"}, **schema)
    needs = "organization:cstm_needed"
    running, paused = await install_ensemble(world), await install_ensemble(world, active=False)
    foreign, other = await install_ensemble(world, world.south), await install_ensemble(world)
    for ensemble in (running, paused, foreign):
        await ensemble.change(integration_uses=["organization:twilio", needs])
    await other.change(integration_uses=["organization:cstm_other"])

    pending = await delete(world, "cstm_needed")
    before = [(await ensemble.instance()).is_active for ensemble in (running, paused, foreign, other)]
    done = await delete(world, "cstm_needed", confirmDeletion=True)
    after = [(await ensemble.instance()).is_active for ensemble in (running, paused, foreign, other)]

    assert pending.json()["data"]["pendingDeactivations"] == {
        "count": 1,
        "processes": [{"processInstanceId": running.id, "title": "Test"}],
    }
    assert before == [True, False, True, True]
    assert (done.json()["success"], done.json()["data"]["deactivatedCount"]) == (True, 1)
    assert after == [False, False, True, True]
    assert (await running.instance()).inactive_reason is InactiveReason.MISSING_INTEGRATION
    assert running.running == set()
    assert made not in world.n8n.credentials.stored
    refused = await world.gateway.post(f"/webhook/{running.id}/main", running.installed.key)
    assert refused.status_code == 412


async def _depend(world: World, on: str, **options: Any) -> Installation:
    """Return a running installation that stands on an integration."""
    installed = await world.install(**options)
    await world.platform.store.commit(Patch(refs.instance(installed.id), {"integration_uses": [on]}))
    return installed


async def test_a_members_integration_is_depended_on_by_that_members_installations(world: World) -> None:
    users, keys = world.north.users, world.north.keys
    options: Any = {"context": "member", "customIntegrationSchema": {**CUSTOM, "id": "cstm_own"}}
    await connected(world, "cstm_own", {"ACME_TOKEN": "t"}, key=keys["member"], **options)
    await connected(world, "cstm_own", {"ACME_TOKEN": "t"}, key=keys["guest"], **options)
    own = await _depend(world, f"member:{users['member']}:cstm_own", owner="member")
    await _depend(world, f"member:{users['guest']}:cstm_own", owner="guest")

    answer = await delete(world, "cstm_own", keys["member"], context="member")
    pending = answer.json()["data"]["pendingDeactivations"]

    assert [process["processInstanceId"] for process in pending["processes"]] == [own.id]


async def test_an_installations_integration_is_depended_on_by_that_installation(world: World) -> None:
    installed = await world.install()
    here: Any = {"context": "process_instance", "processInstanceId": installed.id}
    await connected(world, "telegram", {"TELEGRAM_ACCESS_TOKEN": "t"}, **here)
    before = await delete(world, "telegram", **here)
    uses = {"integration_uses": [f"process_instance:{installed.id}:telegram"]}
    await world.platform.store.commit(Patch(refs.instance(installed.id), uses))
    after = await delete(world, "telegram", **here)

    assert before.json()["data"]["pendingDeactivations"]["count"] == 0
    assert after.json()["data"]["pendingDeactivations"]["count"] == 1


async def test_while_n8n_is_down_it_stays_but_unusable_and_the_next_call_completes_it(
    world: World, own_n8n: ScriptedN8n
) -> None:
    tenant, organization = world.south, refs.organization(world.south.organization_id)
    await own_n8n.come_up()
    found = await world.platform.store.get(organization)
    assert found is not None
    await world.platform.store.commit(Patch(organization, {"backend_id": str(own_n8n.port)}))
    try:
        await connected(world, "openai", OPENAI, key=tenant.keys["owner"])
        await own_n8n.go_down()
        broken = await delete(world, "openai", tenant.keys["owner"], confirmDeletion=True)
        left = await listed(world, tenant.keys["owner"])
        await own_n8n.come_up()
        completed = await delete(world, "openai", tenant.keys["owner"], confirmDeletion=True)
    finally:
        await world.platform.store.commit(Patch(organization, {"backend_id": found.value.backend_id}))

    assert (broken.status_code, broken.json()["error"]["code"]) == (502, "N8N_UNREACHABLE")
    assert left["organization", "openai"]["hasValidTokens"] is False
    assert completed.json()["success"] is True
    assert own_n8n.credentials.stored == {}


@pytest.mark.parametrize(("user", "status"), [("owner", 200), ("admin", 200), ("member", 403)])
async def test_the_organizations_integrations_are_deleted_by_its_managers(
    world: World, user: str, status: int
) -> None:
    assert (await delete(world, "openai", world.north.keys[user])).status_code == status


async def test_nobody_deletes_in_another_organization(world: World, installed: Installation) -> None:
    made = await connected(world, "openai", OPENAI)
    stranger = world.south.keys["owner"]
    named: Any = {"organizationId": world.north.organization_id, "confirmDeletion": True}
    here: Any = {"context": "process_instance", "processInstanceId": installed.id, "confirmDeletion": True}

    assert (await delete(world, "openai", stranger, **named)).status_code == 403
    assert (await delete(world, "telegram", stranger, **here)).status_code == 403
    assert (await delete(world, "openai", stranger, confirmDeletion=True)).status_code == 200
    assert made in world.n8n.credentials.stored


async def test_a_deletion_is_in_the_audit_log(world: World) -> None:
    made = await connected(world, "openai", OPENAI)
    await delete(world, "openai", confirmDeletion=True)

    organization = refs.organization(world.north.organization_id)
    query = below(organization, "auditEvents", refs.audit_event("x", "x").model)
    found = await find(world.platform.store, query.where("action", "==", "integration.deleted"))
    assert any(
        event.value.target == "organization:openai" and event.value.details["n8nCredentialId"] == made
        for event in found
    )
