"""What is connected, and what n8n says of its credential types (api §5.14, §5.17)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shared.model.apikey import KeyKind
from shared.model.scopes import Scope
from tests.integration.world.credentials import SCHEMAS
from tests.integration.world.installations import Installation
from tests.integration.world.integrations import CUSTOM, connect, connected, listed
from tests.integration.world.world import World

MANAGING = [Scope.INTEGRATIONS_MANAGE]


async def test_a_row_has_what_clients_read_and_no_secret(world: World) -> None:
    made = await connected(world, "openai", {"OPENAI_API_KEY": "sk-listed"})
    answer = await world.gateway.post("/listIntegrationsPublic", world.north.keys["owner"], {})
    (row,) = [r for r in answer.json()["data"]["integrations"] if r["integrationId"] == "openai"]

    assert set(answer.json()["data"]) == {"integrations"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row.pop("connectedAt"))
    assert row == {
        "integrationId": "openai",
        "contextType": "organization",
        "connected": True,
        "connectedBy": world.north.users["owner"],
        "hasValidTokens": True,
        "n8nCredentialId": made,
    }
    assert "sk-listed" not in answer.text


async def test_each_sees_the_organizations_and_their_own_and_an_installations_when_named(
    world: World, installed: Installation
) -> None:
    keys = world.north.keys
    schema: Any = {"customIntegrationSchema": {**CUSTOM, "id": "cstm_seen"}}
    await connected(world, "openai", {"OPENAI_API_KEY": "sk"})
    await connected(world, "cstm_seen", {"ACME_TOKEN": "t"}, key=keys["member"], context="member", **schema)
    here: Any = {"context": "process_instance", "processInstanceId": installed.id}
    await connected(world, "telegram", {"TELEGRAM_ACCESS_TOKEN": "t"}, **here)

    member = await listed(world, keys["member"])
    owner = await listed(world, keys["owner"])
    with_instance = await listed(world, keys["owner"], processInstanceId=installed.id)

    assert {("organization", "openai"), ("member", "cstm_seen")} <= set(member)
    assert member["member", "cstm_seen"]["customSchema"]["n8nCredentialType"] == "httpHeaderAuth"
    assert ("member", "cstm_seen") not in owner
    assert ("process_instance", "telegram") not in owner
    assert set(with_instance) == {*owner, ("process_instance", "telegram")}


async def test_nobody_sees_what_another_organization_connected(world: World, installed: Installation) -> None:
    await connected(world, "twilio", {"TWILIO_ACCOUNT_SID": "a", "TWILIO_AUTH_TOKEN": "b"})
    stranger = world.south.keys["owner"]

    assert ("organization", "twilio") not in await listed(world, stranger)
    for body, status in (
        ({"organizationId": world.north.organization_id}, 403),
        ({"processInstanceId": installed.id}, 403),
        ({"processInstanceId": "nothing"}, 404),
    ):
        answer = await world.gateway.post("/listIntegrationsPublic", stranger, body)
        assert answer.status_code == status


async def test_a_list_takes_one_query(world: World) -> None:
    key = world.north.keys["owner"]
    await world.gateway.post("/listIntegrationsPublic", key, {})
    answer = await world.gateway.post("/listIntegrationsPublic", key, {})

    assert world.gateway.line_of(answer)["firestore"]["roundTrips"] == 2


async def test_the_operator_connects_what_everybody_on_an_n8n_falls_back_to(world: World) -> None:
    operator = await world.north.key(kind=KeyKind.ADMIN, scopes=MANAGING)
    secrets = {"OPENAI_API_KEY": "sk-platform"}
    here: Any = {"backendId": str(world.n8n.port)}
    refused = await connect(world, "openai", secrets, context="platform", **here)
    unknown = await connect(world, "openai", secrets, operator, context="platform", backendId="nothing")
    wrong = await connect(world, "postgres", {}, operator, context="platform", **here)
    made = await connected(world, "openai", secrets, key=operator, context="platform", **here)
    fal = await connected(world, "fal_ai", {"FAL_AI_API_KEY": "f"}, key=operator, context="platform", **here)

    assert [answer.status_code for answer in (refused, unknown, wrong)] == [403, 404, 400]
    stored = world.n8n.credentials.stored
    # No HTTP Request node of a tenant may send the platform's key anywhere.
    data = {"apiKey": "sk-platform", "allowedHttpRequestDomains": "none"}
    assert stored[made] == {"type": "openAiApi", "name": "[Codika] OpenAI", "data": data}
    assert stored[fal]["data"]["allowedDomains"] == "fal.run, *.fal.run"
    organization = world.north.organization_id
    assert ("platform", "openai") in await listed(world, operator, organizationId=organization)
    assert ("platform", "openai") not in await listed(world)
    deletion = {"integrationId": "openai", "contextType": "platform", "confirmDeletion": True, **here}
    mine = await world.gateway.post("/deleteIntegrationPublic", world.north.keys["owner"], deletion)
    answer = await world.gateway.post("/deleteIntegrationPublic", operator, deletion)
    assert (mine.status_code, answer.status_code) == (403, 200)
    assert made not in stored


async def test_a_schema_is_n8ns_own_and_asked_for_once(world: World) -> None:
    key = world.north.keys["owner"]
    answers = [
        await world.gateway.get("/getCredentialSchemaPublic", key, type="httpBasicAuth") for _ in range(3)
    ]

    assert all(answer.json()["data"] == SCHEMAS["httpBasicAuth"] for answer in answers)
    assert world.n8n.credentials.schema_calls.count("httpBasicAuth") <= 1
    conditional = await world.gateway.get("/getCredentialSchemaPublic", key, type="pineconeApi")
    assert conditional.json()["data"] == SCHEMAS["pineconeApi"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({}, 400, "INVALID_REQUEST"),
        ({"type": ""}, 400, "INVALID_REQUEST"),
        ({"type": "nonsense"}, 404, "CREDENTIAL_TYPE_NOT_FOUND"),
        ({"type": "../workflows"}, 404, "CREDENTIAL_TYPE_NOT_FOUND"),
    ],
)
async def test_a_schema_of_nothing_is_refused(
    world: World, query: dict[str, str], status: int, code: str
) -> None:
    answer = await world.gateway.get("/getCredentialSchemaPublic", world.north.keys["owner"], **query)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
