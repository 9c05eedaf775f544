"""Secrets of integrations reach n8n, and nothing else in clear: no disk, no log, no answer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.model.scopes import Scope
from shared.services.integrations.available import Holders, available_to
from shared.vault.errors import CannotOpen
from tests.integration.world.integrations import CUSTOM, connect, connected, listed
from tests.integration.world.world import World

CANARIES = {
    "stored": "canary-stored-5f0e6d2c9b",
    "replaced": "canary-replaced-1b7a90c3e4",
    "of a member": "canary-member-77d1c04be2",
    "of an installation": "canary-instance-3c2f9e8d10",
    "kept without a credential": "canary-kept-0d4c8b7a65",
    "of the platform": "canary-platform-9e8f7a6b5c",
    "refused by n8n": "canary-refused-42aa17bd90",
    "not fitting": "canary-unfit-c0ffee1234",
    "in clear": "canary-clear-deadbeef01",
    "unexpected": "canary-unexpected-8877665544",
    "of a forbidden caller": "canary-forbidden-6a5b4c3d2e",
}


@pytest.fixture(scope="module")
async def answers(world: World) -> list[httpx.Response]:
    """Every way a secret comes in, well and badly."""
    installed = await world.install()
    keys, canary = world.north.keys, CANARIES
    operator = await world.north.key(kind=KeyKind.ADMIN, scopes=[Scope.INTEGRATIONS_MANAGE])
    none = {**CUSTOM, "id": "cstm_quiet", "n8nCredentialType": "none", "n8nCredentialMapping": {}}
    numeric = {**CUSTOM, "id": "cstm_number", "n8nCredentialType": "postgres"}
    numeric["n8nCredentialMapping"] = {"ACME_TOKEN": "port"}
    here: Any = {"context": "process_instance", "processInstanceId": installed.id}
    platform: Any = {"context": "platform", "backendId": str(world.n8n.port)}
    clear = {"OPENAI_API_KEY": {"value": canary["in clear"], "encrypted": False}}
    body = {"integrationId": "openai", "contextType": "organization", "metadata": {}, "secrets": clear}

    def openai(which: str, **more: str) -> dict[str, str]:
        return {"OPENAI_API_KEY": canary[which], **more}

    def acme(which: str) -> dict[str, str]:
        return {"ACME_TOKEN": canary[which]}

    sent = [
        await connect(world, "openai", openai("replaced")),
        await connect(world, "openai", openai("stored", OTHER=canary["unexpected"])),
        await connect(
            world, "cstm_acme", acme("of a member"), context="member", customIntegrationSchema=CUSTOM
        ),
        await connect(world, "cstm_acme", acme("of an installation"), customIntegrationSchema=CUSTOM, **here),
        await connect(world, "cstm_quiet", acme("kept without a credential"), customIntegrationSchema=none),
        await connect(world, "openai", openai("of the platform"), operator, **platform),
        await connect(world, "cstm_number", acme("not fitting"), customIntegrationSchema=numeric),
        await connect(world, "openai", openai("of a forbidden caller"), keys["member"]),
        await world.gateway.post("/createIntegrationPublic", keys["owner"], body),
    ]
    world.n8n.credentials.refusal = "cannot store {data}"
    sent.append(await connect(world, "openai", openai("refused by n8n")))
    world.n8n.credentials.refusal = None
    listing = {"processInstanceId": installed.id}
    sent.append(await world.gateway.post("/listIntegrationsPublic", keys["owner"], listing))
    asking = {"integrationId": "openai", "contextType": "organization"}
    sent.append(await world.gateway.post("/deleteIntegrationPublic", keys["owner"], asking))
    return sent


async def test_they_came_in(world: World, answers: list[httpx.Response]) -> None:
    """Else the other tests would show nothing."""
    assert [answer.status_code for answer in answers] == [200] * 6 + [400, 403, 400, 502, 200, 200]
    known = str(world.n8n.credentials.stored)
    for which in ("stored", "of a member", "of an installation", "of the platform"):
        assert CANARIES[which] in known
    assert ("organization", "cstm_quiet") in await listed(world)


async def test_no_answer_repeats_one(answers: list[httpx.Response]) -> None:
    texts = " ".join(answer.text + str(answer.headers) for answer in answers)

    assert [which for which, canary in CANARIES.items() if canary in texts] == []


async def test_no_log_holds_one(world: World, answers: list[httpx.Response]) -> None:
    log = world.gateway.log.read_text() + world.gateway.log.with_name("gateway.err").read_text()

    assert "createIntegrationPublic" in log
    assert [which for which, canary in CANARIES.items() if canary in log] == []


async def test_no_file_holds_one(world: World, answers: list[httpx.Response]) -> None:
    files = [file for file in world.servers.folder.rglob("*") if file.is_file()]
    contents = b"".join(file.read_bytes() for file in files)

    assert any(file.name.startswith("firestore.sqlite") for file in files)
    assert b"cstm_quiet" in contents
    assert [which for which, canary in CANARIES.items() if canary.encode() in contents] == []


async def test_a_stored_secret_does_not_open_in_another_place(world: World) -> None:
    await connected(world, "openai", {"OPENAI_API_KEY": CANARIES["stored"]})
    client = world.platform.store.client
    north, south = world.north.organization_id, world.south.organization_id
    source = await client.document(f"organizations/{north}/integrations/openai:organization").get()
    moved = client.document(f"organizations/{south}/integrations/openai:organization")
    before = (await moved.get()).to_dict()
    await moved.set({**(source.to_dict() or {}), "organizationId": south})
    try:
        texts = ['{"a": "{{FLEXCRED_OPENAI_KEY_DERCXELF}}"}']
        holders = Holders(south, world.south.users["owner"], None, str(world.n8n.port))
        with pytest.raises(CannotOpen):
            await available_to(world.platform, holders, texts, [])
    finally:
        await (moved.set(before) if before else moved.delete())
