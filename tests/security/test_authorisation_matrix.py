"""Every caller at every endpoint, with ids of real objects: what the declaration says is what happens.

The endpoints come from the registry, the ids from their declared requests, the outcomes from both (api §3,
§4, platform §5). A refused caller learns nothing and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from shared.http.access import Keyed
from shared.http.declaration import Endpoint, Envelope
from tests.integration.world.endpoints import ALL, failure, name_of
from tests.integration.world.world import World
from tests.security.bodies import GUARDS, Guard, guards_of, ids_of, request_of, unnamed_organization
from tests.security.callers import CALLERS, Caller, Part, expected
from tests.security.tally import TALLY
from tests.security.victims import Victim, new_victim


@pytest.fixture(scope="module")
async def victim(world: World) -> Victim:
    """Whom refused callers reach for; nothing of it ever changes."""
    return await new_victim(world)


@pytest.fixture(scope="module")
def keys() -> dict[str, str | None]:
    """The keys of refused callers minted so far."""
    return {}


@pytest.mark.parametrize("endpoint", ALL, ids=name_of)
async def test_whoever_is_refused_learns_nothing_and_changes_nothing(
    victim: Victim, keys: dict[str, str | None], endpoint: Endpoint
) -> None:
    before, wrong = await victim.state(), []
    for caller in CALLERS:
        outcome = expected(endpoint, caller)
        if outcome.let_in is not False:
            continue
        if caller.name not in keys:
            keys[caller.name] = await caller.key(victim)
        without = unnamed_organization(endpoint, victim.ids) if caller.part is Part.OUTSIDER else None
        for ids in (victim.ids, without):
            if ids is None:
                continue
            sent, answer = await call(endpoint, victim, ids, keys[caller.name])
            look_for_leaks(endpoint, caller, victim, sent, answer, keys[caller.name])
            status, code, message = failure(endpoint, answer)
            agreed = status in outcome.statuses and (not outcome.code or not code or code == outcome.code)
            if not agreed:
                wrong.append((caller.name, status, code, message))
            if code == "INSUFFICIENT_SCOPE":
                assert isinstance(endpoint.access, Keyed)
                assert all(scope in message for scope in endpoint.access.scopes)
            TALLY.refused += 1

    assert wrong == []
    assert await victim.state() == before


@pytest.mark.parametrize("endpoint", [e for e in ALL if isinstance(e.access, Keyed)], ids=name_of)
async def test_whoever_is_let_in_is_let_in(world: World, endpoint: Endpoint) -> None:
    """With a victim of this endpoint's own, since some of them change it."""
    own, wrong = await new_victim(world), []
    for caller in CALLERS:
        outcome = expected(endpoint, caller)
        if outcome.let_in is False:
            continue
        key = await caller.key(own)
        sent, answer = await call(endpoint, own, own.ids, key)
        refused = answer.status_code in (401, 403)
        if answer.status_code in (405, 500) or (refused and outcome.let_in):
            wrong.append((caller.name, answer.status_code, answer.text))
        if caller.part is Part.OUTSIDER:
            look_for_leaks(endpoint, caller, own, sent, answer, key)
        elif caller.part is Part.MEMBER and own.canary in answer.text:
            TALLY.leaks.append(f"{endpoint.name}: {caller.name}")
            wrong.append((caller.name, answer.status_code, answer.text))

    assert wrong == []


async def call(
    endpoint: Endpoint, victim: Victim, ids: Mapping[str, Any], key: str | None
) -> tuple[Mapping[str, Any], httpx.Response]:
    """Call an endpoint with the victim's ids; return what was sent and what came back."""
    body = request_of(endpoint, ids)
    path = "/" + "/".join([endpoint.name, *(victim.ids[name] for name in endpoint.params)])
    where: dict[str, Any] = {"params": body} if endpoint.method == "GET" else {"json": body}
    if endpoint.streams:
        body = {"executionId": victim.ids["executionId"], "executionSecret": "es2_" + "A" * 80}
        where = {"data": body, "files": {"file": b"x"}}
    headers = {} if key is None else {"X-API-Key": key}
    answer = await victim.world.gateway.http.request(endpoint.method, path, headers=headers, **where)
    TALLY.requests += 1
    return {"path": path, **body}, answer


def look_for_leaks(
    endpoint: Endpoint,
    caller: Caller,
    victim: Victim,
    sent: Mapping[str, Any],
    answer: httpx.Response,
    key: str | None,
) -> None:
    TALLY.endpoints.add(endpoint.name)
    TALLY.callers.add(caller.name)
    inside = caller.part not in (Part.OUTSIDER, Part.NOBODY)
    secret = (victim.canary,) if inside else victim.given_away(json.dumps(sent))
    found = [text for text in (*secret, key or "\0") if text in answer.text]
    TALLY.leaks.extend(f"{endpoint.name}: {caller.name}" for _ in found)
    assert found == [], (caller.name, answer.text)


@pytest.mark.parametrize("endpoint", ALL, ids=name_of)
def test_the_matrix_knows_every_id_that_a_request_can_name(endpoint: Endpoint) -> None:
    assert set(ids_of(endpoint)) <= set(GUARDS) or not isinstance(endpoint.access, Keyed)


async def test_every_id_that_guards_something_is_filled_with_a_real_one(victim: Victim) -> None:
    named = {name for e in ALL if isinstance(e.access, Keyed) for name in ids_of(e)}

    assert {name for name in named if GUARDS[name] is not Guard.NOTHING} <= set(victim.ids)


def test_at_every_keyed_endpoint_somebody_is_let_in_and_somebody_is_not() -> None:
    for endpoint in ALL:
        if isinstance(endpoint.access, Keyed):
            outcomes = [expected(endpoint, caller) for caller in CALLERS]
            assert any(outcome.let_in for outcome in outcomes), endpoint.name
            refusals = {status for outcome in outcomes for status in outcome.statuses}
            assert {401, 403} <= refusals, endpoint.name


def test_every_endpoint_that_names_an_object_refuses_outsiders_and_plain_members() -> None:
    naming = [e for e in ALL if isinstance(e.access, Keyed) and Guard.OBJECT in guards_of(e)]
    for endpoint in naming:
        for caller in CALLERS:
            if caller.part in (Part.OUTSIDER, Part.MEMBER):
                assert expected(endpoint, caller).let_in is False
    assert len(naming) > 10


def test_every_endpoint_wants_proof_of_something_but_those_that_everybody_needs() -> None:
    # Account flows prove an address; who authorizes at a provider has a state, and a browser.
    open_to_all = {e.name for e in ALL if expected(e, CALLERS[0]).let_in and e.envelope is not Envelope.AUTH}

    pages = {"apiDocs", "apiDocsAsset", "encryption", "openApiDocument", "organizationLogo", "downloadFile"}
    probes = {"healthz", "readyz"}
    steps = {"openIntegrationAuthorization", "confirmIntegrationAuthorization"}
    assert open_to_all == pages | probes | steps | {"completeIntegrationAuthorization"}
