"""Too many requests: who is limited, who is not, and what a client is told (decision 0009)."""

from __future__ import annotations

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.vault.apikeys import KeyPrefix, mint
from tests.integration.world.endpoints import ALL, KEYED, Admitted, failure, name_of
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.signing import WHSEC, Sender, github
from tests.integration.world.world import World


@pytest.fixture
async def limited(world: World) -> Gateway:
    """Three requests a minute per key, five per organization, four unknown keys per address."""
    return await world.another_gateway(
        "limited",
        RATE_LIMIT_KEY_PER_MINUTE="3",
        RATE_LIMIT_ORGANIZATION_PER_MINUTE="5",
        RATE_LIMIT_ADDRESS_PER_MINUTE="4",
        TRUSTED_PROXIES="1",
    )


async def verify(gateway: Gateway, key: str, address: str = "192.0.2.1") -> httpx.Response:
    headers = {"X-API-Key": key, "X-Forwarded-For": address}
    return await gateway.http.post("/verifyApiKey", headers=headers)


async def test_every_answer_tells_how_a_key_and_its_organization_stand(
    gateway: Gateway, limited: Gateway, world: World
) -> None:
    key = await world.north.key(kind=KeyKind.PERSONAL)
    answers = [await verify(limited, key) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"key";q=3;w=60'}
    assert [answer.headers["ratelimit"].split(";t=")[0] for answer in answers] == [
        '"key";r=2',
        '"key";r=1',
        '"key";r=0',
        '"key";r=0',
    ]
    assert 1 <= int(answers[3].headers["retry-after"]) <= 20
    assert answers[3].json()["error"]["code"] == "RATE_LIMITED"
    # Whoever sets no limits hears of none.
    assert "ratelimit" not in (await verify(gateway, key)).headers


async def test_an_organization_is_limited_over_all_its_keys(limited: Gateway, world: World) -> None:
    keys = [await world.south.key() for _ in range(4)]
    statuses = [(await verify(limited, key)).status_code for key in (*keys, *keys)]

    assert statuses == [200] * 5 + [429] * 3
    answer = await verify(limited, keys[3])
    assert answer.headers["ratelimit-policy"] == '"key";q=3;w=60, "organization";q=5;w=60'
    assert answer.json()["error"]["details"]["limit"] == "organization"


async def test_an_instance_key_is_limited_in_its_endpoints_own_envelope(
    limited: Gateway, installed: Installation
) -> None:
    answers = [await limited.post(f"/webhook/{installed.path}", installed.key) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    (trigger,) = [endpoint for endpoint in ALL if endpoint.name == "triggerWebhookPublic"]
    assert failure(trigger, answers[3])[:2] == (429, "RATE_LIMITED")
    # The key is read to know whose it is; nothing is written.
    assert limited.line_of(answers[3])["firestore"]["writes"] == 0


@pytest.mark.parametrize("endpoint", KEYED, ids=name_of)
async def test_every_endpoint_that_takes_keys_counts_them(
    world: World, admitted: Admitted, limited: Gateway, endpoint: object
) -> None:
    key = await world.north.key(kind=KeyKind.PERSONAL)
    for _ in range(3):
        await verify(limited, key)
    path = admitted.path(endpoint)  # type: ignore[arg-type]  # parametrized

    answer = await limited.http.request(endpoint.method, path, headers={"X-API-Key": key})  # type: ignore[attr-defined]  # parametrized

    assert failure(endpoint, answer)[0] == 429  # type: ignore[arg-type]  # parametrized


async def test_tasks_and_callbacks_are_never_limited(world: World, limited: Gateway) -> None:
    for _ in range(10):
        answer = await world.deliver("superviseExecution", {}, limited)
        assert answer.status_code == 400
        assert "ratelimit" not in answer.headers
        answer = await limited.callback("submitWorkflowResult", {"executionId": "x", "executionSecret": "y"})
        assert answer.status_code == 401


async def test_guessing_keys_is_limited_by_address_before_anything_is_read(
    world: World, limited: Gateway
) -> None:
    known = await world.north.key(kind=KeyKind.PERSONAL)
    assert (await verify(limited, known, "192.0.2.9")).status_code == 200
    answers = [await verify(limited, mint(KeyPrefix.PERSONAL), f"6.6.6.{n}, 192.0.2.9") for n in range(6)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 429, 429]
    assert answers[5].json()["error"]["code"] == "RATE_LIMITED"
    assert int(answers[5].headers["retry-after"]) >= 1
    assert limited.line_of(answers[5])["firestore"]["roundTrips"] == 0
    # A key that exists is no guess, and other addresses guess on their own account.
    assert (await verify(limited, known, "192.0.2.9")).status_code == 200
    assert (await verify(limited, mint(KeyPrefix.PERSONAL), "192.0.2.10")).status_code == 401


async def test_a_malformed_key_is_refused_for_nothing_however_often(limited: Gateway) -> None:
    for _ in range(10):
        assert (await verify(limited, "hello", "192.0.2.20")).status_code == 401


async def signed(
    gateway: Gateway, installed: Installation, secret: str, address: str, workflow: str = "main"
) -> httpx.Response:
    """Call a workflow as GitHub does from one of its addresses, which it uses for everybody."""
    headers = {**github(b"{}", secret, 0), "X-Forwarded-For": address}
    return await gateway.http.post(f"/webhook/{installed.id}/{workflow}", content=b"{}", headers=headers)


async def test_signed_calls_are_limited_by_workflow_and_organization(limited: Gateway, world: World) -> None:
    tenant = await world.tenant()
    first, second = await world.install(tenant), await world.install(tenant)
    for installed in (first, second):
        await Sender(world, installed).paste("github", WHSEC)

    answers = [await signed(limited, at, WHSEC, "192.0.2.30") for at in (*[first] * 4, *[second] * 3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 200, 200, 429]
    assert 'endpoint";q=3' in answers[0].headers["ratelimit-policy"]
    assert "of this endpoint" in answers[3].json()["error"]
    assert "of this organization" in answers[6].json()["error"]


async def test_wrong_signatures_are_limited_by_address_before_anything_is_read(
    limited: Gateway, world: World
) -> None:
    installed = await world.install()
    await Sender(world, installed).paste("github", WHSEC)

    answers = [await signed(limited, installed, "wrong", "192.0.2.31") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 429, 429]
    assert limited.line_of(answers[5])["firestore"]["roundTrips"] == 0
    assert (await signed(limited, installed, WHSEC, "192.0.2.32")).status_code == 200


async def test_nobody_can_use_up_a_vendors_address_for_those_it_already_delivers_to(
    limited: Gateway, world: World
) -> None:
    """An attacker makes the vendor send wrong calls to his own workflow, and to one that is none."""
    tenant = await world.tenant()
    served, attackers = await world.install(tenant), await world.install(await world.tenant())
    for installed in (served, attackers):
        await Sender(world, installed).paste("github", WHSEC)
    assert (await signed(limited, served, WHSEC, "192.0.2.33")).status_code == 200

    wrong = [await signed(limited, attackers, "wrong", "192.0.2.33") for _ in range(5)]
    nowhere = await signed(limited, attackers, WHSEC, "192.0.2.33", "nothing")
    right = await signed(limited, served, WHSEC, "192.0.2.33")

    assert [answer.status_code for answer in (*wrong, nowhere, right)] == [401] * 4 + [429, 429, 200]
