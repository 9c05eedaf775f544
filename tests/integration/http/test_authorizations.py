"""Integrations that are authorized at a provider with OAuth 2 (platform §7, §8; decision 0016)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.model.instance import InactiveReason
from shared.model.integrations import ContextType, Holder
from shared.services.integrations.oauth.queues import order_for
from shared.services.integrations.oauth.start import state_digest
from shared.store import refs
from shared.store.store import Patch
from tests.integration.world.authorizing import (
    authorize,
    begin,
    consented,
    kept,
    refresh,
    start,
    stored,
)
from tests.integration.world.ensembles import install_ensemble
from tests.integration.world.integrations import listed
from tests.integration.world.n8n_workflows import DeployableN8n
from tests.integration.world.oauth import CLIENT_ID, CLIENT_SECRET, Authority, Person, onwards, query_of
from tests.integration.world.products import new_product
from tests.integration.world.world import World

pytestmark = pytest.mark.usefixtures("registered")


async def test_a_user_who_consents_has_a_working_credential(world: World, authority: Authority) -> None:
    page = await authorize(world, authority)
    found = (await kept(world)).value
    granted = authority.granted[-1]

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "Slack is connected" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    row = (await listed(world))["organization", "slack"]
    assert (row["connected"], row["hasValidTokens"]) == (True, True)
    data = stored(world, found.n8n_credential_id)
    assert data["clientId"] == CLIENT_ID
    token = data["oauthTokenData"]["authed_user"]
    assert token["access_token"] == granted.access_token
    assert "refresh_token" not in str(data)
    assert CLIENT_SECRET not in str(data)
    assert await world.booked("refresh", f"refresh-{found.token_version}")


async def test_the_request_is_bound_by_state_and_pkce(world: World, person: Person) -> None:
    first, second = [query_of(onwards(await person.agrees(*await begin(world)))) for _ in range(2)]

    assert first["state"] != second["state"]
    assert len(first["state"]) >= 43
    assert first["code_challenge_method"] == "S256"
    assert first["code_challenge"] != second["code_challenge"]
    assert first["redirect_uri"] == f"{world.gateway.base_url}/completeIntegrationAuthorization"
    assert "channels:read" in first["user_scope"].split(",")


async def test_a_member_authorizes_for_themselves_with_the_client_in_a_header(
    world: World, authority: Authority
) -> None:
    page = await authorize(world, authority, "calendly", world.north.keys["member"], "member")
    rows = await listed(world, world.north.keys["member"])

    assert page.status_code == 200
    token = stored(world, rows["member", "calendly"]["n8nCredentialId"])["oauthTokenData"]
    assert token["access_token"] == authority.granted[-1].access_token


async def test_a_callback_that_comes_twice_changes_nothing(
    world: World, authority: Authority, person: Person
) -> None:
    back = await consented(world, authority, person)
    pages = await asyncio.gather(*(person.returns(back) for _ in range(4)))
    calls, version = authority.token_calls, (await kept(world)).value.token_version
    again = await person.returns(back)

    assert sorted(page.status_code for page in pages)[0] == 200
    assert {page.status_code for page in pages} <= {200, 410}
    assert (again.status_code, "Slack is connected" in again.text) == (200, True)
    assert authority.token_calls == calls
    assert (await kept(world)).value.token_version == version


async def test_whoever_declines_gets_a_page_that_says_so(
    world: World, authority: Authority, person: Person
) -> None:
    page = await person.returns(await consented(world, authority, person, "no"))

    assert (page.status_code, "declined" in page.text) == (400, True)
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "query", [{}, {"state": "nobody's", "code": "x"}, {"state": "<script>", "error": "x"}]
)
async def test_a_state_nobody_was_given_is_refused(world: World, query: dict[str, str]) -> None:
    page = await world.gateway.http.get("/completeIntegrationAuthorization", params=query)

    assert (page.status_code, "Start again" in page.text) == (400, True)
    assert "<script>" not in page.text


async def test_a_state_is_good_for_ten_minutes(world: World, authority: Authority, person: Person) -> None:
    url, code = await begin(world)
    shown = await person.looks(url)
    back = await person.authorizes(authority, url, code)
    flow = refs.oauth_flow(state_digest(query_of(url)["state"]))
    past = world.platform.sources.now() - timedelta(seconds=1)
    await world.platform.store.commit(Patch(flow, {"expires_at": past}))
    calls = authority.token_calls
    pages = [await person.looks(url), await person.presses(shown, code), await person.returns(back)]

    assert [(page.status_code, "ten minutes" in page.text) for page in pages] == [(410, True)] * 3
    assert authority.token_calls == calls


async def test_a_code_the_provider_refuses_connects_nothing(
    world: World, authority: Authority, person: Person
) -> None:
    back = await consented(world, authority, person)
    authority.codes.clear()
    page = await person.returns(back)

    assert (page.status_code, "invalid_grant" in page.text) == (502, True)
    assert query_of(back)["code"] not in page.text
    assert (await person.returns(back)).status_code == 410


async def test_a_code_for_another_authorization_fails_its_proof(
    world: World, authority: Authority, person: Person, other: Person
) -> None:
    back = await consented(world, authority, person)
    theirs = query_of(await consented(world, authority, other))
    page = await person.returns(back.replace(query_of(back)["code"], theirs["code"]))

    assert page.status_code == 502


async def test_refreshed_tokens_replace_the_old_ones_everywhere(world: World, authority: Authority) -> None:
    await authorize(world, authority)
    before = (await kept(world)).value
    answer = await refresh(world)
    after = (await kept(world)).value

    assert answer.json()["data"]["outcome"] == "refresh"
    newest = authority.granted[-1].access_token
    assert stored(world, after.n8n_credential_id)["oauthTokenData"]["authed_user"]["access_token"] == newest
    assert after.n8n_credential_id == before.n8n_credential_id
    assert after.token_version != before.token_version
    assert await world.booked("refresh", f"refresh-{after.token_version}")
    # The refresh token was taken back by its use: only one that was kept works now.
    assert (await refresh(world)).json()["data"]["outcome"] == "refresh"
    assert (await refresh(world, before.token_version)).json()["data"]["outcome"] == "superseded"


async def test_of_many_who_refresh_at_once_one_asks_the_provider(world: World, authority: Authority) -> None:
    await authorize(world, authority)
    version, calls = (await kept(world)).value.token_version, authority.token_calls
    authority.slow_seconds = 0.4
    answers = await asyncio.gather(*(refresh(world, version) for _ in range(5)))

    assert authority.token_calls == calls + 1
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert (await kept(world)).value.has_valid_tokens


async def test_a_provider_that_is_down_is_asked_again(world: World, authority: Authority) -> None:
    await authorize(world, authority)
    authority.down = True
    failed = await refresh(world)
    still = (await kept(world)).value.has_valid_tokens
    authority.down = False
    later = await refresh(world)

    assert (failed.status_code, still) == (502, True)
    assert (later.status_code, later.json()["data"]["outcome"]) == (200, "refresh")


async def test_tokens_that_n8n_did_not_take_are_brought_there_later(
    world: World, authority: Authority
) -> None:
    await authorize(world, authority)
    world.n8n.credentials.refusal = "no: {data}"
    try:
        failed = await refresh(world)
    finally:
        world.n8n.credentials.refusal = None
    calls = authority.token_calls
    later = await refresh(world)

    assert failed.status_code == 502
    assert later.json()["data"]["outcome"] == "store in n8n"
    assert authority.token_calls == calls
    found = (await kept(world)).value
    token = stored(world, found.n8n_credential_id)["oauthTokenData"]["authed_user"]
    assert token["access_token"] == authority.granted[-1].access_token


async def test_a_grant_that_was_taken_back_switches_off_what_stands_on_it(
    world: World, authority: Authority
) -> None:
    await authorize(world, authority)
    needing, other = await install_ensemble(world), await install_ensemble(world)
    await needing.change(integration_uses=["organization:slack"])
    authority.forget()
    answer = await refresh(world)

    assert answer.status_code == 200
    assert (await listed(world))["organization", "slack"]["hasValidTokens"] is False
    instance = await needing.instance()
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.MISSING_INTEGRATION)
    assert (await other.instance()).is_active
    assert (await refresh(world)).json()["data"]["outcome"] == "switch off dependants"


async def test_connecting_again_brings_back_what_waited_for_exactly_that(
    world: World, authority: Authority, workshop: DeployableN8n
) -> None:
    tenant, n8n = await world.tenant_on(workshop), workshop
    key, organization_id = tenant.keys["owner"], tenant.organization_id
    holder = Holder(ContextType.ORGANIZATION, organization_id, organization_id)
    await authorize(world, authority, key=key)
    products = [await new_product(world, tenant, n8n) for _ in range(3)]
    needing, lacking_more, paused = [str((await p.deploy("v1"))["processInstanceId"]) for p in products]
    uses = {needing: ["organization:slack"], lacking_more: ["organization:slack", "organization:twilio"]}
    for instance_id, used in {**uses, paused: ["organization:slack"]}.items():
        patch = Patch(refs.instance(instance_id), {"integration_uses": used})
        await world.platform.store.commit(patch)
    await products[2].pause(paused)
    authority.forget()
    found = await world.platform.store.get(refs.integration(holder, "slack"))
    assert found is not None
    order = order_for(holder, "slack", found.value.token_version or "")
    assert (await world.deliver("refreshIntegration", order.wire())).status_code == 200
    stopped = [await p.instance(i) for p, i in zip(products, uses, strict=False)]

    await authorize(world, authority, key=key)
    async with asyncio.timeout(20):
        while not (await products[0].instance(needing)).is_active:
            await asyncio.sleep(0.1)

    again = await world.platform.store.get(refs.integration(holder, "slack"))
    assert again is not None
    order = order_for(holder, "slack", again.value.token_version or "")
    repeated = await world.deliver("resumeDependants", order.wire())

    assert repeated.json()["data"]["outcome"] == "0 deployed again"
    missing = InactiveReason.MISSING_INTEGRATION
    assert [(i.is_active, i.inactive_reason) for i in stopped] == [(False, missing)] * 2
    assert (await products[1].instance(lacking_more)).inactive_reason is missing
    assert (await products[2].instance(paused)).inactive_reason is InactiveReason.USER_PAUSED
    assert products[0].greets(needing) == ["Hello", "v1"]


async def test_deleting_revokes_the_grant(world: World, authority: Authority) -> None:
    await authorize(world, authority)
    body = {"integrationId": "slack", "contextType": "organization", "confirmDeletion": True}
    answer = await world.gateway.post("/deleteIntegrationPublic", world.north.keys["owner"], body)

    assert answer.json()["success"] is True
    assert authority.granted[-1].revoked
    assert ("organization", "slack") not in await listed(world)


async def test_a_plain_member_cannot_connect_for_the_organization(world: World) -> None:
    answer = await start(world, key=world.north.keys["member"])

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("uid", "context", "metadata", "code"),
    [
        ("openai", "organization", {}, "INVALID_REQUEST"),
        ("slack", "member", {}, "INVALID_REQUEST"),
        ("notion", "member", {}, "OAUTH_NOT_CONFIGURED"),
        ("shopify", "organization", {}, "INVALID_REQUEST"),
        ("shopify", "organization", {"shopSubdomain": "evil.example/"}, "INVALID_REQUEST"),
    ],
)
async def test_what_cannot_be_authorized_says_why(
    world: World, uid: str, context: str, metadata: dict[str, str], code: str
) -> None:
    answer = await start(world, uid, context=context, metadata=metadata)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


async def test_no_token_verifier_or_client_secret_is_anywhere_in_clear(
    world: World, authority: Authority, person: Person
) -> None:
    url, code = await begin(world)
    opened = await person.looks(url)
    back = await person.authorizes(authority, url, code)
    page = await person.returns(back)
    await refresh(world)
    files = [file for file in world.servers.folder.rglob("*") if file.is_file()]
    seen = b"".join(file.read_bytes() for file in files) + page.content

    assert b"slackOAuth2Api" in seen
    secrets = [query_of(back)["state"], query_of(back)["code"], CLIENT_SECRET, *authority.verifiers]
    assert code not in opened.text
    secrets += [code, code.replace("-", ""), *person.browser.cookies.values()]
    secrets += [token.access_token for token in authority.granted]
    secrets += [token.refresh_token for token in authority.granted]
    assert [secret for secret in secrets if secret.encode() in seen] == []
