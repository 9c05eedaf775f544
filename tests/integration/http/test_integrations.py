"""Connecting integrations (api §5.15, §6, platform §7)."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from shared.model.apikey import KeyKind
from shared.model.integrations import ContextType, Holder, credential_id
from shared.model.scopes import Scope
from shared.services.secrets import integration_secret, open_text
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Patch
from tests.integration.world.installations import Installation
from tests.integration.world.integrations import CUSTOM, connect, connected, encrypted, record
from tests.integration.world.n8n import ScriptedN8n
from tests.integration.world.world import World

POSTGRES = {
    "POSTGRES_HOST": "db.example",
    "POSTGRES_PORT": "5432",
    "POSTGRES_DATABASE": "shop",
    "POSTGRES_USER": "reader",
    "POSTGRES_PASSWORD": "a-postgres-password",
}


async def test_an_api_key_becomes_a_credential_in_n8n_and_a_sealed_record(world: World) -> None:
    answer = await connect(world, "openai", {"OPENAI_API_KEY": "sk-first"})

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"success", "data", "requestId"}
    assert set(body["data"]) == {"message", "n8nCredentialId"}
    organization = world.north.organization_id
    digest = hashlib.sha256(organization.encode()).hexdigest()[:25]
    assert world.n8n.credentials.stored[body["data"]["n8nCredentialId"]] == {
        "type": "openAiApi",
        "name": f"WVYZQWVY_OPENAI_{digest}_YVWQZYVW",
        "data": {"apiKey": "sk-first"},
    }
    kept = await record(world, "openai")
    assert kept is not None
    assert kept.connected_by == world.north.users["owner"]
    assert "sk-first" not in str(kept.fields())
    holder = Holder(ContextType.ORGANIZATION, organization, organization)
    context = integration_secret(holder, "openai", "OPENAI_API_KEY")
    assert await open_text(world.platform, kept.secrets["OPENAI_API_KEY"], context) == "sk-first"


async def test_connecting_again_replaces_the_values_and_keeps_the_credential(world: World) -> None:
    first = await connected(world, "openai", {"OPENAI_API_KEY": "sk-old"})
    before = len(world.n8n.credentials.stored)
    second = await connected(world, "openai", {"OPENAI_API_KEY": "sk-new"})

    assert first == second
    assert len(world.n8n.credentials.stored) == before
    assert world.n8n.credentials.stored[first]["data"] == {"apiKey": "sk-new"}


async def test_a_credential_somebody_deleted_in_n8n_is_made_again_under_its_id(world: World) -> None:
    first = await connected(world, "openai", {"OPENAI_API_KEY": "sk-old"})
    del world.n8n.credentials.stored[first]

    assert await connected(world, "openai", {"OPENAI_API_KEY": "sk-new"}) == first
    assert first in world.n8n.credentials.stored


async def test_a_credential_that_a_dead_attempt_left_is_taken_over(world: World) -> None:
    tenant = world.south
    holder = Holder(ContextType.ORGANIZATION, tenant.organization_id, tenant.organization_id)
    left = credential_id(holder, "pinecone")
    leftover = {"type": "pineconeApi", "name": "left", "data": {"apiKey": "x", "allowedDomains": ""}}
    world.n8n.credentials.stored[left] = leftover
    before = set(world.n8n.credentials.stored)

    made = await connected(world, "pinecone", {"PINECONE_API_KEY": "pc"}, key=tenant.keys["owner"])

    assert made == left
    assert set(world.n8n.credentials.stored) == before
    assert world.n8n.credentials.stored[left]["data"]["apiKey"] == "pc"


async def test_two_who_connect_at_once_leave_one_credential(world: World) -> None:
    before = set(world.n8n.credentials.stored)
    secrets = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "token-of-twilio"}
    key = world.south.keys["owner"]
    answers = await asyncio.gather(*(connect(world, "twilio", secrets, key) for _ in range(5)))

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert any(answer.status_code == 200 for answer in answers)
    (made,) = set(world.n8n.credentials.stored) - before
    assert world.n8n.credentials.stored[made]["data"] == {
        "authType": "authToken",
        "accountSid": "AC1",
        "authToken": "token-of-twilio",
    }


async def test_what_n8n_demands_besides_is_filled_with_what_changes_nothing(world: World) -> None:
    """Production broke once when n8n began to demand ``allowedDomains``."""
    made = await connected(world, "pinecone", {"PINECONE_API_KEY": "pc"})
    gemini = await connected(world, "google_gemini", {"GOOGLE_GEMINI_API_KEY": "g"})

    assert world.n8n.credentials.stored[made]["data"] == {"apiKey": "pc", "allowedDomains": ""}
    host = "https://generativelanguage.googleapis.com"
    assert world.n8n.credentials.stored[gemini]["data"] == {"apiKey": "g", "host": host}


async def test_a_type_this_n8n_lacks_becomes_a_header(world: World) -> None:
    made = await connected(world, "tavily", {"TAVILY_API_KEY": "tvly-1"})

    assert world.n8n.credentials.stored[made]["type"] == "httpHeaderAuth"
    assert world.n8n.credentials.stored[made]["data"] == {"name": "Authorization", "value": "Bearer tvly-1"}


async def test_values_get_the_types_n8n_wants(world: World, installed: Installation) -> None:
    options: Any = {"context": "process_instance", "processInstanceId": installed.id}
    made = await connected(world, "postgres", {**POSTGRES, "POSTGRES_SSL": "true"}, **options)
    refused = await connect(world, "postgres", {**POSTGRES, "POSTGRES_PORT": "many"}, **options)

    assert world.n8n.credentials.stored[made]["data"] == {
        "host": "db.example",
        "port": 5432,
        "database": "shop",
        "user": "reader",
        "password": "a-postgres-password",
        "ssl": "require",
    }
    assert world.n8n.credentials.stored[made]["name"].startswith("INSTCRED_POSTGRES_")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert "POSTGRES_PORT" in refused.text
    assert "many" not in refused.text


async def test_a_value_that_looks_like_an_expression_stays_a_value(world: World) -> None:
    made = await connected(world, "openai", {"OPENAI_API_KEY": "={{ $env.HOME }}"})

    stored = world.n8n.credentials.stored[made]["data"]["apiKey"]
    assert "{{ $env" not in stored
    assert stored == r'={{ "=\u007b\u007b $env.HOME \u007d\u007d" }}'


@pytest.mark.parametrize("secrets", [{}, {"OPENAI_API_KEY": ""}, {"OTHER": "x"}])
async def test_a_missing_secret_is_named(world: World, secrets: dict[str, str]) -> None:
    answer = await connect(world, "openai", secrets)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert "OPENAI_API_KEY" in answer.json()["error"]["message"]


async def test_unexpected_secrets_are_ignored(world: World) -> None:
    made = await connected(world, "openai", {"OPENAI_API_KEY": "sk", "SOMETHING": "else"})

    assert world.n8n.credentials.stored[made]["data"] == {"apiKey": "sk"}
    kept = await record(world, "openai")
    assert kept is not None
    assert list(kept.secrets) == ["OPENAI_API_KEY"]


async def test_a_secret_in_clear_is_refused(world: World) -> None:
    for sent in ({"value": "sk-clear-as-day", "encrypted": False}, {"value": "sk-clear-as-day"}):
        secrets = {"OPENAI_API_KEY": sent}
        body = {"integrationId": "openai", "contextType": "organization", "metadata": {}, "secrets": secrets}
        answer = await world.gateway.post("/createIntegrationPublic", world.north.keys["owner"], body)

        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "PLAINTEXT_SECRET")
        assert "sk-clear-as-day" not in answer.text


@pytest.mark.parametrize(
    "envelope", ["{}", "not json", '{"encryptedKey":"AAAA","encryptedData":"AAAA","iv":"AAAA"}']
)
async def test_what_was_encrypted_to_another_key_names_the_clients_remedy(
    world: World, envelope: str
) -> None:
    secrets = {"OPENAI_API_KEY": {"value": envelope, "encrypted": True}}
    body = {"integrationId": "openai", "contextType": "organization", "metadata": {}, "secrets": secrets}
    answer = await world.gateway.post("/createIntegrationPublic", world.north.keys["owner"], body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "DECRYPTION_FAILED")
    assert "CODIKA_PUBLIC_KEY_URL" in answer.text
    assert f"{world.gateway.base_url}/encryption/public.pem" in answer.text


async def test_secrets_encrypted_before_the_key_was_rotated_still_open(world: World) -> None:
    secrets = await encrypted(world, {"OPENAI_API_KEY": "sk-of-the-old-key"})
    await world.platform.vault.rotate_transport_key()
    later = await world.another_gateway("rotated")
    old, new = [(await at.http.get("/encryption/public.pem")).content for at in (world.gateway, later)]
    body = {"integrationId": "openai", "contextType": "organization", "metadata": {}, "secrets": secrets}
    answer = await later.post("/createIntegrationPublic", world.north.keys["owner"], body)

    assert old != new
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("uid", ["slack", "google_gmail", "notion", "shopify"])
async def test_oauth_integrations_are_connected_in_the_dashboard(world: World, uid: str) -> None:
    context = "organization" if uid in ("slack", "shopify") else "member"
    answer = await connect(world, uid, {"TOKEN": "x"}, context=context)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "OAUTH_REQUIRED")
    address = f"{world.gateway.base_url}/organizations/{world.north.organization_id}/integrations"
    assert address in answer.json()["error"]["message"]
    assert answer.json()["error"]["details"]["dashboardUrl"] == address


async def test_unknown_integrations_and_wrong_contexts_are_refused(
    world: World, installed: Installation
) -> None:
    unknown = await connect(world, "opnai", {"OPENAI_API_KEY": "sk"})
    wrong = await connect(world, "openai", {"OPENAI_API_KEY": "sk"}, context="member")
    nowhere = await connect(world, "telegram", {"TELEGRAM_ACCESS_TOKEN": "t"}, context="process_instance")
    odd = await connect(world, "openai", {"OPENAI_API_KEY": "sk"}, context="galaxy")

    for answer, word in (
        (unknown, "opnai"),
        (wrong, "organization"),
        (nowhere, "processInstanceId"),
        (odd, ""),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
        assert word in answer.json()["error"]["message"]


async def test_a_custom_integration_maps_its_fields(world: World, installed: Installation) -> None:
    """The CLI sends ``process_instance`` whatever the schema says."""
    made = await connected(
        world,
        "cstm_acme",
        {"ACME_TOKEN": "acme-token"},
        context="process_instance",
        processInstanceId=installed.id,
        customIntegrationSchema=CUSTOM,
        metadata={"ACME_HEADER": "X-Acme"},
    )

    assert world.n8n.credentials.stored[made]["data"] == {"name": "X-Acme", "value": "acme-token"}


async def test_a_custom_integration_without_a_credential_type_is_only_kept(world: World) -> None:
    before = dict(world.n8n.credentials.stored)
    schema = {**CUSTOM, "id": "cstm_kept", "n8nCredentialType": "none", "n8nCredentialMapping": {}}
    secrets = {"ACME_TOKEN": "kept-token"}
    answer = await connect(world, "cstm_kept", secrets, customIntegrationSchema=schema)

    assert answer.status_code == 200, answer.text
    assert set(answer.json()["data"]) == {"message"}
    assert world.n8n.credentials.stored == before
    kept = await record(world, "cstm_kept")
    assert kept is not None
    assert list(kept.secrets) == ["ACME_TOKEN"]


async def test_a_custom_integration_is_connected_again_without_repeating_its_schema(world: World) -> None:
    secrets = {"ACME_TOKEN": "one"}
    header: dict[str, object] = {"ACME_HEADER": "X-Acme"}
    first = await connected(world, "cstm_acme", secrets, customIntegrationSchema=CUSTOM, metadata=header)
    second = await connected(world, "cstm_acme", {"ACME_TOKEN": "two"}, metadata=header)

    assert first == second
    assert world.n8n.credentials.stored[second]["data"] == {"name": "X-Acme", "value": "two"}


async def test_a_custom_integration_becomes_another_type_in_place_or_none(world: World) -> None:
    basic = {**CUSTOM, "id": "cstm_turn", "n8nCredentialType": "httpBasicAuth"}
    basic["n8nCredentialMapping"] = {"ACME_TOKEN": "password"}
    header = {**CUSTOM, "id": "cstm_turn"}
    nothing = {**CUSTOM, "id": "cstm_turn", "n8nCredentialType": "none", "n8nCredentialMapping": {}}
    secrets = {"ACME_TOKEN": "t"}
    first = await connected(world, "cstm_turn", secrets, customIntegrationSchema=header)
    second = await connected(world, "cstm_turn", secrets, customIntegrationSchema=basic)

    assert first == second
    assert world.n8n.credentials.stored[second]["type"] == "httpBasicAuth"
    assert (await connect(world, "cstm_turn", secrets, customIntegrationSchema=nothing)).status_code == 200
    assert second not in world.n8n.credentials.stored


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"id": "cstm_other"}, "INVALID_REQUEST", "cstm_other"),
        ({"id": "acme"}, "INVALID_CONFIGURATION", "cstm_"),
        ({"n8nCredentialMapping": {}}, "INVALID_CONFIGURATION", "n8nCredentialMapping"),
        ({"n8nCredentialType": "nonsense"}, "INVALID_REQUEST", "nonsense"),
        ({"n8nCredentialMapping": {"ACME_TOKEN": "nonsense"}}, "INVALID_REQUEST", "nonsense"),
        (
            {"n8nCredentialType": "openAiApi", "n8nCredentialMapping": {"ACME_TOKEN": "url"}},
            "INVALID_REQUEST",
            "apiKey",
        ),
        (None, "INVALID_REQUEST", "customIntegrationSchema"),
    ],
)
async def test_a_broken_custom_schema_is_explained(
    world: World, change: dict[str, Any] | None, code: str, word: str
) -> None:
    schema: Any = (
        {} if change is None else {"customIntegrationSchema": {**CUSTOM, "id": "cstm_new", **change}}
    )
    answer = await connect(world, "cstm_new", {"ACME_TOKEN": "acme-token"}, **schema)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert word in answer.json()["error"]["message"]
    assert "acme-token" not in answer.text


@pytest.mark.parametrize(("user", "status"), [("owner", 200), ("admin", 200), ("member", 403)])
async def test_the_organizations_integrations_are_for_its_managers(
    world: World, user: str, status: int
) -> None:
    answer = await connect(world, "openai", {"OPENAI_API_KEY": "sk"}, world.north.keys[user])

    assert answer.status_code == status
    if status == 403:
        assert "Only admins and owners" in answer.text


async def test_members_connect_for_themselves_and_managers_for_them(world: World) -> None:
    keys, users = world.north.keys, world.north.users
    schema: Any = {"context": "member", "customIntegrationSchema": {**CUSTOM, "id": "cstm_mine"}}
    secrets = {"ACME_TOKEN": "t"}
    own = await connect(world, "cstm_mine", secrets, keys["member"], **schema)
    named = await connect(world, "cstm_mine", secrets, keys["member"], **schema, memberId=users["member"])
    other = await connect(world, "cstm_mine", secrets, keys["member"], **schema, memberId=users["guest"])
    managed = await connect(world, "cstm_mine", secrets, keys["admin"], **schema, memberId=users["guest"])
    stranger = await connect(
        world, "cstm_mine", secrets, keys["admin"], **schema, memberId=world.south.users["owner"]
    )

    assert [answer.status_code for answer in (own, named, other, managed, stranger)] == [
        200,
        200,
        403,
        200,
        404,
    ]
    assert own.json()["data"]["n8nCredentialId"] == named.json()["data"]["n8nCredentialId"]
    assert own.json()["data"]["n8nCredentialId"] != managed.json()["data"]["n8nCredentialId"]
    name = world.n8n.credentials.stored[own.json()["data"]["n8nCredentialId"]]["name"]
    owner = world.north.organization_id + users["member"]
    assert name == f"USERCRED_CSTM_MINE_{hashlib.sha256(owner.encode()).hexdigest()[:25]}_DERCRESU"


async def test_an_installations_integrations_are_for_whom_it_is_shared_with(
    world: World, installed: Installation
) -> None:
    async def status(key: str, instance: str = installed.id) -> int:
        token = {"TELEGRAM_ACCESS_TOKEN": "t"}
        options: Any = {"context": "process_instance", "processInstanceId": instance}
        return (await connect(world, "telegram", token, key, **options)).status_code

    assert await status(world.north.keys["admin"]) == 200
    assert await status(world.north.keys["member"]) == 403
    assert await status(world.south.keys["owner"]) == 403
    assert await status(world.north.keys["owner"], "nothing") == 404


async def test_an_organizations_key_acts_on_its_own_organization_alone(
    world: World, installed: Installation
) -> None:
    south = world.south
    foreign: Any = {"organizationId": world.north.organization_id}
    made = await connected(world, "openai", {"OPENAI_API_KEY": "sk-south"}, key=south.keys["owner"])
    named = await connect(world, "openai", {"OPENAI_API_KEY": "sk"}, south.keys["owner"], **foreign)

    assert made != await connected(world, "openai", {"OPENAI_API_KEY": "sk-north"})
    assert world.n8n.credentials.stored[made]["data"]["apiKey"] == "sk-south"
    assert (named.status_code, named.json()["error"]["code"]) == (403, "FORBIDDEN")


async def test_keys_of_no_organization_name_one_of_their_users(world: World) -> None:
    personal = await world.north.key(kind=KeyKind.PERSONAL, scopes=[Scope.INTEGRATIONS_MANAGE])
    member = await world.north.key("member", kind=KeyKind.PERSONAL, scopes=[Scope.INTEGRATIONS_MANAGE])
    admin = await world.north.key(kind=KeyKind.ADMIN, scopes=[Scope.INTEGRATIONS_MANAGE])
    secrets, north = {"OPENAI_API_KEY": "sk"}, {"organizationId": world.north.organization_id}
    south = {"organizationId": world.south.organization_id}

    async def status(key: str, **named: Any) -> int:
        return (await connect(world, "openai", secrets, key, **named)).status_code

    assert [await status(personal), await status(personal, **north)] == [200, 200]
    assert [await status(personal, **south), await status(member)] == [403, 403]
    assert [await status(admin), await status(admin, **south)] == [400, 200]


async def test_connecting_is_in_the_audit_log_without_values(world: World) -> None:
    made = await connected(world, "openai", {"OPENAI_API_KEY": "sk-never-logged"})

    organization = refs.organization(world.north.organization_id)
    model = refs.audit_event("x", "x").model
    query = below(organization, "auditEvents", model).where("action", "==", "integration.connected")
    events = [found.value for found in await find(world.platform.store, query)]
    (event,) = [e for e in events if e.details == {**e.details, "n8nCredentialId": made}][-1:]
    assert event.target == "organization:openai"
    assert event.actor_user_id == world.north.users["owner"]
    assert "sk-never-logged" not in str([e.fields() for e in events])


async def test_nothing_is_recorded_while_n8n_refuses_and_its_words_carry_no_secret(world: World) -> None:
    world.n8n.credentials.refusal = "no: {data}"
    try:
        answer = await connect(world, "anthropic", {"ANTHROPIC_API_KEY": "sk-ant-refused"})
        custom = {**CUSTOM, "id": "cstm_refused"}
        other = await connect(
            world, "cstm_refused", {"ACME_TOKEN": "refused-token"}, customIntegrationSchema=custom
        )
    finally:
        world.n8n.credentials.refusal = None

    # Anthropic's type is none this n8n knows: that is the caller's to learn.
    assert (answer.status_code, other.status_code) == (400, 502)
    assert "anthropicApi" in answer.text
    assert "refused-token" not in other.text
    assert await record(world, "cstm_refused") is None


async def test_an_own_n8n_keeps_the_only_copy_unless_a_copy_is_wanted(
    world: World, own_n8n: ScriptedN8n
) -> None:
    tenant, organization = world.south, refs.organization(world.south.organization_id)
    await own_n8n.come_up()
    found = await world.platform.store.get(organization)
    assert found is not None
    own = {"backend_id": str(own_n8n.port), "self_hosted": True}
    await world.platform.store.commit(Patch(organization, own))
    try:
        made = await connected(world, "openai", {"OPENAI_API_KEY": "sk-own"}, key=tenant.keys["owner"])
        without = await record(world, "openai", tenant)
        await world.platform.store.commit(Patch(organization, {"store_credential_copy": True}))
        await connected(world, "openai", {"OPENAI_API_KEY": "sk-own"}, key=tenant.keys["owner"])
        kept = await record(world, "openai", tenant)
    finally:
        before = {"backend_id": found.value.backend_id, "self_hosted": False, "store_credential_copy": False}
        await world.platform.store.commit(Patch(organization, before))

    assert own_n8n.credentials.stored[made]["data"] == {"apiKey": "sk-own"}
    assert without is not None
    assert without.secrets == {}
    assert kept is not None
    assert list(kept.secrets) == ["OPENAI_API_KEY"]


async def test_an_n8n_that_is_down_is_named_and_nothing_is_recorded(
    world: World, own_n8n: ScriptedN8n
) -> None:
    organization = refs.organization(world.south.organization_id)
    found = await world.platform.store.get(organization)
    assert found is not None
    await world.platform.store.commit(Patch(organization, {"backend_id": str(own_n8n.port)}))
    try:
        answer = await connect(
            world,
            "twilio",
            {"TWILIO_ACCOUNT_SID": "a", "TWILIO_AUTH_TOKEN": "b"},
            world.south.keys["owner"],
        )
    finally:
        await world.platform.store.commit(Patch(organization, {"backend_id": found.value.backend_id}))

    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "N8N_UNREACHABLE")
    assert await record(world, "google_gemini", world.south) is None
