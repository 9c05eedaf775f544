"""A signature opens one workflow's trigger, and nothing else that keys open (decision 0022)."""

from __future__ import annotations

import pytest

from shared.http.access import Keyed
from shared.http.declaration import Endpoint
from tests.integration.world.endpoints import KEYED, failure, name_of
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import started
from tests.integration.world.signing import VENDORS, WHSEC, Sender, kind_of
from tests.integration.world.world import World
from tests.security.bodies import request_of
from tests.security.victims import Victim, new_victim

NOT_SIGNED = [e for e in KEYED if isinstance(e.access, Keyed) and e.access.signed_with is None]


@pytest.fixture(scope="module")
async def victim(world: World) -> Victim:
    """An organization one of whose workflows takes everybody's signature."""
    victim = await new_victim(world)
    for kind in ("standard", "stripe", "github", "slack"):
        await Sender(world, victim.installed).paste(kind, WHSEC)
    return victim


def test_only_triggers_take_signatures() -> None:
    assert {e.name for e in KEYED} - {e.name for e in NOT_SIGNED} == {"triggerWebhookPublic"}


@pytest.mark.parametrize("endpoint", NOT_SIGNED, ids=name_of)
async def test_whoever_signs_rightly_is_nobody_elsewhere(victim: Victim, endpoint: Endpoint) -> None:
    before, now = await victim.state(), int(victim.world.platform.sources.now().timestamp())
    path = "/" + "/".join([endpoint.name, *(victim.ids[name] for name in endpoint.params)])
    query = request_of(endpoint, victim.ids) if endpoint.method == "GET" else None
    signatures = {name: value for sign in VENDORS.values() for name, value in sign(b"", WHSEC, now).items()}

    answer = await victim.world.gateway.http.request(endpoint.method, path, headers=signatures, params=query)

    assert failure(endpoint, answer)[:2] == (401, "UNAUTHORIZED")
    assert victim.canary not in answer.text
    assert await victim.state() == before


@pytest.mark.parametrize("vendor", VENDORS)
async def test_whoever_signs_for_another_workflow_learns_and_changes_nothing(
    world: World, victim: Victim, vendor: str
) -> None:
    """The attacker has a secret of a workflow of their own, and knows every id of the victim's."""
    own: Installation = await world.install(world.south)
    own.behave(started)
    secret = WHSEC.replace("whsec_YS", "whsec_YT")
    await Sender(world, own).paste(kind_of(vendor), secret)
    before = await victim.state()

    refused = await Sender(world, victim.installed).send(vendor, secret)
    nowhere = await Sender(world, victim.installed, "nothing").send(vendor, secret)
    taken = await Sender(world, own).send(vendor, secret)

    assert (refused.status_code, nowhere.status_code, taken.status_code) == (401, 401, 200)
    assert refused.json()["error"] == nowhere.json()["error"]
    assert not any(text in refused.text for text in victim.given_away(str(refused.request.url)))
    assert await victim.state() == before
    assert victim.installed.calls == []
