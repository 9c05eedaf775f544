"""Nobody's account is connected to an organization without their knowing, nor another's than it asked for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from shared.model.organization import Organization
from shared.model.user import User
from shared.services.integrations.oauth.browser import COOKIE
from shared.services.integrations.oauth.start import state_digest
from shared.store import refs
from tests.integration.world.authorizing import authorize, begin, consented, kept, slack
from tests.integration.world.integrations import listed
from tests.integration.world.oauth import Authority, Person, onwards, query_of
from tests.integration.world.world import World
from tests.support.browser import opened

pytestmark = pytest.mark.usefixtures("registered")

WRONG = "ZZZZ-ZZZZ"


@pytest.fixture(autouse=True)
async def nothing_connected(world: World) -> None:
    body = {"integrationId": "slack", "contextType": "organization", "confirmDeletion": True}
    await world.gateway.post("/deleteIntegrationPublic", world.north.keys["owner"], body)


async def is_connected(world: World) -> bool:
    return await world.platform.store.get(refs.integration(slack(world), "slack")) is not None


async def test_whoever_opens_the_address_reads_who_asks_for_what(world: World, person: Person) -> None:
    url, code = await begin(world)
    page = await person.looks(url)
    user = await world.platform.store.get(refs.user(world.north.users["owner"]))
    organization = await world.platform.store.get(refs.organization(world.north.organization_id))
    assert user is not None
    assert organization is not None
    owner: User = user.value
    asking: Organization = organization.value

    assert page.status_code == 200
    assert asking.name in page.text
    assert (owner.email or owner.display_name) in page.text
    assert "your Slack account" in page.text
    assert code not in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    cookie = page.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly; SameSite=Lax" in cookie


async def test_looking_at_the_address_uses_nothing_up(world: World, authority: Authority) -> None:
    url, code = await begin(world)
    for _ in range(3):
        async with httpx.AsyncClient() as passer_by:
            assert (await passer_by.get(url)).status_code == 200
    async with httpx.AsyncClient() as browser:
        person = Person(browser)
        page = await person.returns(await person.authorizes(authority, url, code))

    assert page.status_code == 200


async def test_a_page_that_is_opened_does_not_say_where_the_provider_is(world: World, person: Person) -> None:
    url, _ = await begin(world)

    assert "client_id" not in (await person.looks(url)).text + url


async def test_who_only_consents_at_the_provider_connects_nothing(
    world: World, authority: Authority, person: Person, other: Person
) -> None:
    """The starter agrees to it all and sends somebody the provider's address alone."""
    provider = onwards(await person.agrees(*await begin(world)))
    calls = authority.token_calls
    back = await authority.consent(provider)
    page = await other.returns(back)
    bare = await world.gateway.http.get(back)

    assert (page.status_code, bare.status_code) == (403, 403)
    assert "Nobody agreed" in page.text
    assert authority.token_calls == calls
    assert not await is_connected(world)
    # The browser in which somebody agreed has lost nothing.
    assert (await person.returns(back)).status_code == 200


async def test_agreeing_to_another_authorization_does_not_count(
    world: World, authority: Authority, person: Person, other: Person
) -> None:
    provider = onwards(await person.agrees(*await begin(world)))
    await other.agrees(*await begin(world))
    page = await other.returns(await authority.consent(provider))

    assert page.status_code == 403
    assert not await is_connected(world)


@pytest.mark.parametrize("cookie", ["", "short", "A" * 43, "A" * 43 + "; x=1"])
async def test_another_site_cannot_press_the_button(
    world: World, person: Person, other: Person, cookie: str
) -> None:
    """It knows state, code and a token, from its own look at the page; but not the visitor's cookie."""
    url, code = await begin(world)
    page = await other.looks(url)
    forged = page.text.split('name="token" value="')[1].split('"')[0]
    form = {"state": query_of(url)["state"], "token": forged, "code": code}
    headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
    answer = await world.gateway.http.post("/confirmIntegrationAuthorization", data=form, headers=headers)
    without = await world.gateway.http.post("/confirmIntegrationAuthorization", data={**form, "token": ""})

    assert (answer.status_code, without.status_code) == (403, 403)
    assert "url=" not in answer.text
    assert (await person.agrees(url, code)).status_code == 200


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"state=%00&token=%ff&code=" + b"x" * 9000, b"{}"])
async def test_what_is_no_form_is_refused(world: World, body: bytes) -> None:
    answer = await world.gateway.http.post("/confirmIntegrationAuthorization", content=body)

    assert answer.status_code == 403


async def test_who_has_the_address_but_not_the_code_gets_five_tries(
    world: World, authority: Authority, person: Person
) -> None:
    url, code = await begin(world)
    page = await person.looks(url)
    answers = [await person.presses(page, WRONG) for _ in range(5)]
    late = await person.presses(page, code)

    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 410]
    assert (late.status_code, "Too many wrong codes" in late.text) == (410, True)
    assert (await person.looks(url)).status_code == 410


async def test_guessing_at_once_gives_no_more_tries(world: World, person: Person) -> None:
    url, _ = await begin(world)
    page = await person.looks(url)
    answers = await asyncio.gather(*(person.presses(page, WRONG) for _ in range(20)))
    flow = await world.platform.store.get(refs.oauth_flow(state_digest(query_of(url)["state"])))

    assert flow is not None
    counted = [answer for answer in answers if "That is not the confirmation code" in answer.text]
    assert len(counted) <= 4
    assert {answer.status_code for answer in answers} <= {400, 409, 410}
    assert len(counted) <= flow.value.wrong_codes <= 5


@pytest.mark.parametrize("spell", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}"])
async def test_a_code_may_be_spelled_as_people_do(world: World, person: Person, spell: object) -> None:
    url, code = await begin(world)
    assert callable(spell)

    assert (await person.agrees(url, spell(code))).status_code == 200


async def test_of_two_who_agree_at_once_one_goes_on(
    world: World, authority: Authority, person: Person, other: Person
) -> None:
    url, code = await begin(world)
    shown = [(one, await one.looks(url)) for one in (person, other)]
    answers = await asyncio.gather(*(one.presses(page, code) for one, page in shown))
    statuses = sorted(answer.status_code for answer in answers)
    winner, loser = (person, other) if answers[0].status_code == 200 else (other, person)
    provider = onwards(next(answer for answer in answers if answer.status_code == 200))
    late = await loser.agrees(url, code)
    refused = await loser.returns(await authority.consent(provider))
    done = await winner.returns(await authority.consent(provider))

    assert statuses[0] == 200
    assert statuses[1] in (403, 409)
    assert (late.status_code, refused.status_code, done.status_code) == (403, 403, 200)


async def test_back_and_again_in_the_same_browser_goes_on(
    world: World, authority: Authority, person: Person
) -> None:
    url, code = await begin(world)
    await person.agrees(url, code)
    page = await person.returns(await person.authorizes(authority, url, code))

    assert page.status_code == 200


async def test_two_authorizations_in_one_browser_do_not_disturb_each_other(
    world: World, authority: Authority, person: Person
) -> None:
    first, second = [await consented(world, authority, person) for _ in range(2)]
    pages = [await person.returns(back) for back in (first, second)]

    assert [page.status_code for page in pages] == [200, 200]


async def test_a_used_address_asks_nobody_again(world: World, authority: Authority, person: Person) -> None:
    url, code = await begin(world)
    shown = await person.looks(url)
    await person.returns(await person.authorizes(authority, url, code))
    again = [await person.looks(url), await person.presses(shown, code)]

    assert [page.status_code for page in again] == [410, 410]


async def test_a_stranger_does_not_learn_what_was_connected(
    world: World, authority: Authority, person: Person, other: Person
) -> None:
    authority.says = {"team": {"name": "Acme Space"}}
    back = await consented(world, authority, person)
    await person.returns(back)
    page = await other.returns(back)

    assert page.status_code == 403
    assert "Acme" not in page.text
    assert "Slack" not in page.text


async def test_the_starter_sees_whose_account_it_became(world: World, authority: Authority) -> None:
    authority.says = {"team": {"name": "Acme <Space>\n"}}
    page = await authorize(world, authority)

    assert "Acme &lt;Space&gt;" in page.text
    assert (await listed(world))["organization", "slack"]["account"] == "Acme <Space>"
    assert (await kept(world)).value.account == "Acme <Space>"


async def test_a_browser_goes_the_whole_way(world: World, authority: Authority, tmp_path: Path) -> None:
    url, code = await begin(world)
    async with opened(tmp_path) as tab:
        await tab.open(url)
        await tab.until("document.forms.length == 1")
        await tab.evaluate(f"document.forms[0].code.value = '{code}'")
        await tab.evaluate("document.querySelector('button').click()")
        await tab.until("location.pathname == '/authorize' && document.forms.length == 1")
        referrer = await tab.evaluate("document.referrer")
        await tab.evaluate("document.querySelector('button').click()")
        heading = await tab.until("document.querySelector('h1') && document.querySelector('h1').innerText")
        complaints = tab.complaints

    assert heading == "Slack is connected"
    assert referrer == ""
    # The provider has no favicon.
    assert [said for said in complaints if "404" not in said] == []
    assert await is_connected(world)
