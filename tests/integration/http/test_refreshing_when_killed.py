"""Tokens that are exchanged while workers die, orders come twice and providers fail: none lost, none doubled.

The provider replaces refresh tokens: each is good for one exchange.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from shared.model.instance import InactiveReason
from shared.model.integrations import Integration
from shared.services.integrations.oauth.tokens import ACCESS, REFRESH, opened
from shared.store.store import Patch
from tests.integration.world.authorizing import authorize, kept, refresh, slack, stored
from tests.integration.world.ensembles import Ensemble, install_ensemble
from tests.integration.world.integrations import listed
from tests.integration.world.oauth import Authority
from tests.integration.world.world import World

pytestmark = pytest.mark.usefixtures("registered")

BEFORE = ["oauth.announced"]
LOSING = ["oauth.refreshed"]
"""Where the provider's answer dies with the worker."""
AFTER = ["oauth.written", "oauth.booked", "oauth.stored", "oauth.current"]


@pytest.fixture
async def dependant(world: World, authority: Authority) -> Ensemble:
    """A running installation that stands on a connection."""
    await authorize(world, authority)
    ensemble = await install_ensemble(world)
    await ensemble.change(integration_uses=["organization:slack"])
    return ensemble


@pytest.fixture(autouse=True)
async def left(world: World) -> AsyncIterator[None]:
    """Afterwards nothing is connected."""
    yield
    body = {"integrationId": "slack", "contextType": "organization", "confirmDeletion": True}
    await world.gateway.post("/deleteIntegrationPublic", world.north.keys["owner"], body)


async def killed_at(world: World, folder: Path, at: str, version: str) -> None:
    """Deliver the order to a worker that dies at a point of it."""
    order = folder / "kill-at"
    order.write_text(at)
    dying = await world.another_gateway(f"dying-{folder.name}", PODIUM_KILL_FILE=str(order))
    with pytest.raises(httpx.TransportError):
        await refresh(world, version, dying)


async def later(world: World) -> None:
    """Let the time pass for which a dead worker keeps others waiting."""
    found = await kept(world)
    if found.value.refreshing_until is not None:
        past = world.platform.sources.now() - timedelta(seconds=1)
        await world.platform.store.commit(Patch(found.ref, {"refreshing_until": past}))


async def deliver_until_done(world: World, version: str) -> list[str]:
    """Deliver an order as the queue does, three at a time, until each delivery is accepted; what they did."""
    async with asyncio.timeout(20):
        while True:
            answers = await asyncio.gather(*(refresh(world, version) for _ in range(3)))
            assert {answer.status_code for answer in answers} <= {200, 409}
            if all(answer.status_code == 200 for answer in answers):
                return [answer.json()["data"]["outcome"] for answer in answers]


async def assert_whole(world: World, authority: Authority, before: Integration) -> None:
    """n8n has the newest token, its successor is booked once, and the kept refresh token is good."""
    after, newest = (await kept(world)).value, authority.granted[-1]
    holder = slack(world)
    in_n8n = stored(world, after.n8n_credential_id)["oauthTokenData"]["authed_user"]["access_token"]

    assert after.has_valid_tokens
    assert in_n8n == newest.access_token == await opened(world.platform, holder, after, ACCESS)
    assert await opened(world.platform, holder, after, REFRESH) == newest.refresh_token
    assert (after.in_n8n, after.next_version, after.refreshing_until) == (True, None, None)
    assert after.token_version != before.token_version
    assert len(await world.booked("refresh", f"refresh-{after.token_version}")) == 1
    calls = authority.token_calls
    assert (await refresh(world)).json()["data"]["outcome"] == "refresh"
    assert authority.token_calls == calls + 1


@pytest.mark.parametrize("at", [*BEFORE, *AFTER])
async def test_a_worker_that_dies_beside_the_exchange_loses_and_doubles_nothing(
    world: World, authority: Authority, dependant: Ensemble, tmp_path: Path, at: str
) -> None:
    before, calls = (await kept(world)).value, authority.token_calls
    version = before.token_version or ""
    await killed_at(world, tmp_path, at, version)
    at_once = await refresh(world, version)
    await later(world)
    await deliver_until_done(world, version)

    assert at_once.status_code == (409 if at in BEFORE else 200)
    assert authority.token_calls == calls + 1
    await assert_whole(world, authority, before)
    assert (await dependant.instance()).is_active


@pytest.mark.parametrize("at", LOSING)
async def test_tokens_that_died_with_a_worker_stop_what_stands_on_them(
    world: World, authority: Authority, dependant: Ensemble, tmp_path: Path, at: str
) -> None:
    version = (await kept(world)).value.token_version or ""
    await killed_at(world, tmp_path, at, version)
    assert (await refresh(world, version)).status_code == 409
    await later(world)
    await deliver_until_done(world, version)
    instance = await dependant.instance()

    assert (await listed(world))["organization", "slack"]["hasValidTokens"] is False
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.MISSING_INTEGRATION)
    assert dependant.running == set()


@pytest.mark.parametrize("at", LOSING)
async def test_a_provider_that_takes_a_used_token_again_loses_nothing(
    world: World, authority: Authority, dependant: Ensemble, tmp_path: Path, at: str
) -> None:
    authority.forgives = True
    before, calls = (await kept(world)).value, authority.token_calls
    await killed_at(world, tmp_path, at, before.token_version or "")
    await later(world)
    await deliver_until_done(world, before.token_version or "")

    assert authority.token_calls == calls + 2
    await assert_whole(world, authority, before)
    assert (await dependant.instance()).is_active


async def test_an_answer_that_never_arrives_stops_what_stands_on_it(
    world: World, authority: Authority, dependant: Ensemble
) -> None:
    version = (await kept(world)).value.token_version or ""
    authority.loses_answers = True
    lost = await refresh(world, version)
    authority.loses_answers = False
    await deliver_until_done(world, version)

    assert lost.status_code == 502
    assert (await listed(world))["organization", "slack"]["hasValidTokens"] is False
    assert (await dependant.instance()).inactive_reason is InactiveReason.MISSING_INTEGRATION


async def test_a_worker_that_dies_while_it_stops_dependants_is_followed_by_one_that_does(
    world: World, authority: Authority, dependant: Ensemble, tmp_path: Path
) -> None:
    version = (await kept(world)).value.token_version or ""
    authority.forget()
    await killed_at(world, tmp_path, "integration.unusable", version)
    between = (await dependant.instance()).is_active
    await deliver_until_done(world, version)
    instance = await dependant.instance()

    assert between
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.MISSING_INTEGRATION)


async def test_an_outage_between_two_deaths_costs_one_exchange(
    world: World, authority: Authority, dependant: Ensemble, tmp_path: Path
) -> None:
    before = (await kept(world)).value
    version = before.token_version or ""
    await killed_at(world, tmp_path, "oauth.announced", version)
    await later(world)
    authority.down = True
    failed = [(await refresh(world, version)).status_code for _ in range(3)]
    authority.down = False
    granted = len(authority.granted)
    (again := tmp_path / "again").mkdir()
    await killed_at(world, again, "oauth.written", version)
    await deliver_until_done(world, version)

    assert failed == [502, 502, 502]
    assert len(authority.granted) == granted + 1
    await assert_whole(world, authority, before)
    assert (await dependant.instance()).is_active


async def test_orders_that_come_twice_and_at_once_exchange_once_per_version(
    world: World, authority: Authority, dependant: Ensemble
) -> None:
    calls = authority.token_calls
    for _ in range(5):
        before = (await kept(world)).value
        await deliver_until_done(world, before.token_version or "")
    assert authority.token_calls == calls + 5
    await assert_whole(world, authority, before)
