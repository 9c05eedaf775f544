"""What a deployment gets of its tenant's credentials, and what it says of missing ones (decision 18)."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest

from shared.model.instance import InactiveReason
from shared.model.integrations import ContextType, Holder, Integration
from shared.placeholders import Scope as TokenScope
from shared.services.integrations.available import Holders, available_to
from shared.store import refs
from shared.store.store import Create
from tests.integration.world.credentialed import OPENAI, Json, Site, configuration, credential_site
from tests.integration.world.integrations import CUSTOM, connect, connected
from tests.integration.world.world import World


@pytest.fixture
async def site(world: World) -> AsyncIterator[Site]:
    site = await credential_site(world)
    yield site
    await site.n8n.go_down()


async def test_a_missing_integration_fails_the_deployment_by_name_until_it_is_connected(site: Site) -> None:
    failed = await site.deploy("ORGCRED", "USERCRED", integrationUids=["openai", "pinecone"])
    before = await site.instance()
    nothing = site.n8n.named(site.instance_id)
    answer = await connect(site.world, "openai", OPENAI, site.tenant.keys["owner"])
    deployed = await site.deploy("ORGCRED", integrationUids=["openai"])

    assert failed["deploymentStatus"] == "failed"
    assert "openai, pinecone" in failed["error"]
    assert before.inactive_reason is InactiveReason.MISSING_INTEGRATION
    assert nothing == []
    assert "1 process instance waits for missing integrations" in answer.json()["data"]["message"]
    assert deployed["deploymentStatus"] == "deployed", deployed["error"]
    made = answer.json()["data"]["n8nCredentialId"]
    assert site.used() == [{"id": made, "name": site.n8n.credentials.stored[made]["name"]}]
    assert (await site.instance()).integration_uses == ["organization:openai"]


async def test_deleting_what_a_deployment_uses_stops_it(site: Site) -> None:
    await site.connect("openai", OPENAI)
    await site.deploy("ORGCRED")
    body = {"integrationId": "openai", "contextType": "organization"}
    caller = site.tenant.keys["owner"]

    pending = await site.world.gateway.post("/deleteIntegrationPublic", caller, body)
    confirmed = {**body, "confirmDeletion": True}
    done = await site.world.gateway.post("/deleteIntegrationPublic", caller, confirmed)

    assert pending.json()["data"]["pendingDeactivations"] == {
        "count": 1,
        "processes": [{"processInstanceId": site.instance_id, "title": "With credentials"}],
    }
    assert done.json()["data"]["deactivatedCount"] == 1, done.text
    instance = await site.instance()
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.MISSING_INTEGRATION)
    assert site.n8n.published(site.instance_id) == []
    assert (await site.deploy("ORGCRED"))["deploymentStatus"] == "failed"


async def test_an_organizations_own_credential_goes_before_the_platforms(site: Site) -> None:
    neither = await site.deploy("FLEXCRED")
    shared = await site.connect_platform()
    with_shared = await site.deploy("FLEXCRED")
    of_platform = site.used()
    uses = (await site.instance()).integration_uses
    own = await site.connect("openai", OPENAI)
    await site.deploy("FLEXCRED")

    assert neither["deploymentStatus"] == "failed"
    assert with_shared["deploymentStatus"] == "deployed", with_shared
    assert of_platform == [{"id": shared, "name": "[Codika] OpenAI"}]
    assert uses == []
    assert site.used()[0]["id"] == own
    assert (await site.instance()).integration_uses == ["organization:openai"]


async def test_the_platforms_credential_is_the_platforms_to_provide(site: Site) -> None:
    absent = await site.deploy("SYSCREDS")
    before = await site.instance()
    shared = await site.connect_platform()
    present = await site.deploy("SYSCREDS", integrationUids=["openai"])

    assert absent["deploymentStatus"] == "failed"
    assert "SYSCREDS_OPENAI_ID" in absent["error"]
    assert before.inactive_reason is InactiveReason.DEPLOY_FAILED
    assert present["deploymentStatus"] == "deployed", present["error"]
    assert site.used()[0]["id"] == shared


async def test_a_members_credential_is_the_owners_of_the_installation(site: Site) -> None:
    schema: Json = {"customIntegrationSchema": CUSTOM, "context": "member"}
    token = {"ACME_TOKEN": "t"}
    stranger = await site.connect("cstm_acme", token, key=site.tenant.keys["guest"], **schema)
    missing = await site.deploy("USERCRED", key="CSTM_ACME", user="member")
    own = await site.connect("cstm_acme", token, key=site.tenant.keys["member"], **schema)
    deployed = await site.deploy("USERCRED", key="CSTM_ACME", user="member")

    assert missing["deploymentStatus"] == "failed"
    assert "cstm_acme" in missing["error"]
    assert deployed["deploymentStatus"] == "deployed", deployed["error"]
    assert site.used()[0]["id"] == own != stranger


async def test_a_custom_integration_is_searched_from_the_installation_outwards(site: Site) -> None:
    schema: Json = {"customIntegrationSchema": CUSTOM}
    token = {"ACME_TOKEN": "t"}
    required: Json = {"key": "CSTM_ACME", "customIntegrations": [CUSTOM]}
    missing = await site.deploy("ORGCRED", **required)
    found = []
    for context in ("organization", "member", "process_instance"):
        where = {"context": context, "processInstanceId": site.instance_id}
        made = await site.connect("cstm_acme", token, **schema, **where)
        await site.deploy("ORGCRED", "USERCRED", "INSTCRED", **required)
        found.append({used["id"] for used in site.used()} == {made})

    assert "cstm_acme" in missing["error"]
    assert found == [True, True, True]
    assert (await site.instance()).integration_uses == [f"process_instance:{site.instance_id}:cstm_acme"]


async def test_what_is_declared_must_be_connected_though_no_placeholder_names_it(site: Site) -> None:
    missing = await site.deploy(customIntegrations=[CUSTOM])
    kept = {**CUSTOM, "n8nCredentialType": "none", "n8nCredentialMapping": {}}
    answer = await connect(
        site.world, "cstm_acme", {"ACME_TOKEN": "t"}, site.tenant.keys["owner"], customIntegrationSchema=kept
    )
    present = await site.deploy(customIntegrations=[CUSTOM])
    named = await site.deploy("ORGCRED", key="CSTM_ACME", customIntegrations=[CUSTOM])

    assert missing["deploymentStatus"] == "failed"
    assert answer.status_code == 200
    assert present["deploymentStatus"] == "deployed", present["error"]
    # Connected without a credential in n8n: nothing to connect, and nothing to name.
    assert named["deploymentStatus"] == "failed"
    assert "ORGCRED_CSTM_ACME_ID" in named["error"]


async def test_a_credential_that_is_not_valid_any_more_counts_as_missing(site: Site) -> None:
    await site.connect("openai", OPENAI, metadata={"hasValidTokens": False})

    assert "openai" in (await site.deploy("ORGCRED"))["error"]


async def test_a_credential_written_down_by_its_id_is_refused(site: Site) -> None:
    """Only what a placeholder stood for may be used, be it the tenant's own or not."""
    foreign = await connected(site.world, "openai", OPENAI)
    own = await site.connect("openai", OPENAI)
    for identifier in (foreign, own):
        name = site.n8n.credentials.stored.get(identifier, {}).get("name", "x")
        changed = configuration(["ORGCRED"], "OPENAI")
        text = base64.b64decode(changed["workflows"][0]["n8nWorkflowJsonBase64"]).decode()
        text = text.replace("{{ORGCRED_OPENAI_ID_DERCGRO}}", identifier)
        text = text.replace("{{ORGCRED_OPENAI_NAME_DERCGRO}}", name)
        changed["workflows"][0]["n8nWorkflowJsonBase64"] = base64.b64encode(text.encode()).decode()

        answer = await site.deploy(workflows=changed["workflows"])

        assert answer["deploymentStatus"] == "failed"
        assert "not one of this installation" in answer["error"]


async def test_a_raw_key_is_the_organizations_own_and_never_the_platforms(site: Site) -> None:
    texts = ["{{FLEXCRED_OPENAI_KEY_DERCXELF}} {{FLEXCRED_OPENAI_ID_DERCXELF}}"]
    owner = site.tenant.users["owner"]
    holders = Holders(site.tenant.organization_id, owner, None, str(site.n8n.port))

    async def key(text: str = texts[0]) -> str | None:
        available = await available_to(site.world.platform, holders, [text], [])
        return available.of(TokenScope.FLEXIBLE_CREDENTIAL)["openai"].key

    await site.connect_platform()
    shared = await key()
    await site.connect("openai", OPENAI)

    assert shared is None
    assert await key() == "sk"
    assert await key("{{FLEXCRED_OPENAI_ID_DERCXELF}}") is None


async def test_a_bare_microsoft_means_the_one_that_is_connected(site: Site) -> None:
    owner = site.tenant.users["owner"]
    holders = Holders(site.tenant.organization_id, owner, None, str(site.n8n.port))
    holder = Holder(ContextType.MEMBER, site.tenant.organization_id, owner)

    async def missing() -> tuple[str, ...]:
        text = "{{USERCRED_MICROSOFT_ID_DERCRESU}} {{USERCRED_GMAIL_ID_DERCRESU}}"
        return (await available_to(site.world.platform, holders, [text], ["postgresql"])).missing

    async def by_dashboard(uid: str) -> None:
        integration = Integration(
            organization_id=site.tenant.organization_id,
            integration_id=uid,
            context_type=ContextType.MEMBER,
            holder=holder.label,
            backend_id=str(site.n8n.port),
            n8n_credential_id=uid,
            n8n_credential_name=uid,
            connected_at=site.world.platform.sources.now(),
            connected_by=owner,
        )
        await site.world.platform.store.commit(Create(refs.integration(holder, uid), integration))

    assert await missing() == ("postgres", "microsoft", "google_gmail")
    await by_dashboard("google_gmail")
    await by_dashboard("microsoft_outlook")
    assert await missing() == ("postgres",)
    await by_dashboard("microsoft_excel")
    assert await missing() == ("postgres", "microsoft")
