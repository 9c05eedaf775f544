"""Triggers that begin one run however often they are sent (decision 0021)."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.model.execution import Execution
from shared.model.remembered import RememberedCall
from shared.services.runs.idempotency import fingerprint_of
from shared.store import refs
from shared.store.query import below, find
from shared.store.refs import Ref
from shared.store.store import Create, Patch
from shared.vault.apikeys import digest
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.raw import exchange
from tests.integration.world.world import World

AT_ONCE = int(os.environ.get("IDEMPOTENCY_CALLS", "200"))
CONNECTIONS = 1000
BODY = {"payload": {"order": 17, "items": [{"b": 2, "a": 1}]}}
SAME = {"payload": {"items": [{"a": 1, "b": 2}], "order": 17}}
OTHER = {"payload": {"order": 18, "items": []}}


async def send(
    gateway: Gateway,
    installed: Installation,
    key: str | None = "order-17",
    body: Any = None,
    *,
    name: str = "webhook",
    api_key: str | None = None,
) -> httpx.Response:
    headers = {"X-API-Key": api_key or installed.key}
    if key is not None:
        headers["Idempotency-Key"] = key
    return await gateway.http.post(f"/{name}/{installed.path}", json=body or BODY, headers=headers)


def record_of(installed: Installation, key: str = "order-17") -> Ref[RememberedCall]:
    return refs.remembered_call(digest(installed.key), installed.id, "main", key)


async def runs_of(world: World, installed: Installation) -> list[str]:
    runs = below(refs.instance(installed.id), "executions", Execution)
    return [run.value.execution_id for run in await find(world.platform.store, runs)]


async def change(world: World, installed: Installation, **fields: object) -> None:
    await world.platform.store.commit(Patch(record_of(installed), fields))


async def test_a_repeat_gets_the_first_answer_and_starts_nothing(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    first = await send(gateway, installed)
    repeats = [
        await send(gateway, installed, body=SAME, name=name)
        for name in ("webhook", "trigger", "triggerWebhookPublic", "TRIGGERWEBHOOKPUBLIC")
    ]

    assert first.status_code == 200
    assert "idempotent-replayed" not in first.headers
    for repeat in repeats:
        assert repeat.status_code == 200
        assert repeat.headers["idempotent-replayed"] == "true"
        assert {**repeat.json(), "requestId": ""} == {**first.json(), "requestId": ""}
    assert await runs_of(world, installed) == [first.json()["executionId"]]
    await eventually(lambda: installed.calls)
    assert len(installed.calls) == 1


async def test_another_payload_under_the_same_key_is_refused(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    first = await send(gateway, installed)
    other = await send(gateway, installed, body=OTHER)

    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert set(other.json()) == {"success", "error", "code", "requestId"}
    assert await runs_of(world, installed) == [first.json()["executionId"]]


async def test_a_key_counts_for_one_api_key_and_one_workflow(world: World, gateway: Gateway) -> None:
    one, two = await world.install(), await world.install()
    owner = world.north.keys["owner"]

    answers = [
        await send(gateway, one),
        await send(gateway, two),
        await send(gateway, one, api_key=owner),
        await send(gateway, two, api_key=owner),
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["executionId"] for answer in answers}) == 4


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9", "a\tb"])
async def test_a_key_that_is_none_is_a_bad_request(
    world: World, gateway: Gateway, installed: Installation, key: str
) -> None:
    headers = httpx.Headers({"X-API-Key": installed.key, "Idempotency-Key": key}, encoding="latin-1")
    answer = await gateway.http.post(f"/webhook/{installed.path}", json=BODY, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_IDEMPOTENCY_KEY")
    assert await runs_of(world, installed) == []


@pytest.mark.parametrize("key", ["x", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a/b c~!"])
async def test_any_printable_key_up_to_255_characters_is_taken(
    gateway: Gateway, installed: Installation, key: str
) -> None:
    first, repeat = await send(gateway, installed, key), await send(gateway, installed, key)

    assert first.status_code == repeat.status_code == 200
    assert first.json()["executionId"] == repeat.json()["executionId"]


async def test_a_refused_call_is_not_remembered(world: World, gateway: Gateway) -> None:
    schema: list[dict[str, object]] = [
        {"key": "order", "type": "number", "label": "Order", "required": True, "max": 17}
    ]
    installed = await world.install(input_schema=schema)

    refused = await send(gateway, installed, body=OTHER)
    taken = await send(gateway, installed, body=BODY)

    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_PAYLOAD")
    assert (taken.status_code, taken.headers.get("idempotent-replayed")) == (200, None)


async def test_a_repeat_is_answered_after_the_installation_was_switched_off(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    first = await send(gateway, installed)
    await world.platform.store.commit(Patch(refs.endpoint(installed.id, "main"), {"is_active": False}))

    repeat, fresh = await send(gateway, installed), await send(gateway, installed, "order-18")

    assert repeat.json()["executionId"] == first.json()["executionId"]
    assert fresh.status_code == 412


async def test_a_repeat_costs_one_round_trip_and_no_write_and_the_first_call_two_commits(
    gateway: Gateway, installed: Installation
) -> None:
    await gateway.trigger(installed.path, installed.key)
    first, repeat = await send(gateway, installed), await send(gateway, installed)

    costs = [gateway.cost_of(answer, reads=3) for answer in (first, repeat)]
    assert costs[0] == {"roundTrips": 1, "reads": 3, "writes": 3, "queries": 0}
    assert costs[1] == {"roundTrips": 1, "reads": 3, "writes": 0, "queries": 0}


async def test_neither_key_nor_payload_is_kept(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    await send(gateway, installed, "invoice-of-mrs-smith", {"payload": {"iban": "CH93"}})

    found = await world.platform.store.get(record_of(installed, "invoice-of-mrs-smith"))
    assert found is not None
    assert "smith" not in str(found)
    assert "CH93" not in str(found)
    kept = found.value.expire_at - world.platform.sources.now()
    assert timedelta(hours=23, minutes=59) < kept <= timedelta(hours=24)


STATES = ("absent", "in progress", "abandoned", "accepted", "expired")


async def put_into(world: World, installed: Installation, state: str) -> str | None:
    """Leave a call of ``BODY`` in a state, and return its run."""
    if state == "absent":
        return None
    now = world.platform.sources.now()
    run = await installed.record_run(trigger_data='{"order":17}')
    left = RememberedCall(
        organization_id=installed.tenant.organization_id,
        process_instance_id=installed.id,
        execution_id=run,
        fingerprint=fingerprint_of(BODY["payload"]),
        accepted=state in ("accepted", "expired"),
        lease_until=now + timedelta(seconds=60 if state == "in progress" else -1),
        expire_at=now + timedelta(hours=-1 if state == "expired" else 1),
    )
    await world.platform.store.commit(Create(record_of(installed), left))
    return run


@pytest.mark.parametrize("body", [SAME, OTHER], ids=["same body", "other body"])
@pytest.mark.parametrize("state", STATES)
async def test_every_state_has_its_answer(
    world: World, gateway: Gateway, installed: Installation, state: str, body: Any
) -> None:
    left = await put_into(world, installed, state)

    answer = await send(gateway, installed, body=body)

    if state in ("absent", "expired"):
        assert answer.status_code == 200
        assert answer.json()["executionId"] != left
        assert (await send(gateway, installed, body=body)).json()["executionId"] == answer.json()[
            "executionId"
        ]
    elif body is OTHER:
        assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    elif state == "in progress":
        assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_IN_PROGRESS")
        assert answer.headers["retry-after"] == "1"
    else:
        assert (answer.status_code, answer.json()["executionId"]) == (200, left)
        assert answer.headers["idempotent-replayed"] == "true"
    # What was left half done runs now, and what was done is not done again.
    goes = {"absent": 1, "expired": 1, "abandoned": 1 if body is SAME else 0}.get(state, 0)
    if goes:
        await eventually(lambda: installed.calls)
    assert len(installed.calls) == goes


@pytest.mark.parametrize("at", ["trigger.recorded", "trigger.booked"])
async def test_what_a_killed_worker_left_is_gone_on_with_once(
    world: World, gateway: Gateway, installed: Installation, tmp_path: Path, at: str
) -> None:
    order = tmp_path / "kill-at"
    order.write_text(at)
    dying = await world.another_gateway(f"dying-{tmp_path.name}", PODIUM_KILL_FILE=str(order))
    with pytest.raises(httpx.TransportError):
        await send(dying, installed)
    (run,) = await runs_of(world, installed)

    early = await send(gateway, installed)
    await change(world, installed, lease_until=world.platform.sources.now() - timedelta(seconds=1))
    late = await asyncio.gather(*(send(gateway, installed) for _ in range(10)))

    assert early.status_code == 409
    assert {answer.status_code for answer in late} <= {200, 409}
    assert {answer.json()["executionId"] for answer in late if answer.status_code == 200} == {run}
    assert (await send(gateway, installed)).json()["executionId"] == run
    await eventually(lambda: installed.calls)
    assert await runs_of(world, installed) == [run]
    assert [call.execution_id for call in installed.calls] == [run]


async def test_a_record_whose_run_is_gone_is_as_if_it_were_not(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    await put_into(world, installed, "abandoned")
    await change(world, installed, execution_id=world.platform.sources.uuid7())

    answer = await send(gateway, installed)

    assert answer.status_code == 200
    assert answer.json()["executionId"] in await runs_of(world, installed)


async def test_however_many_arrive_at_once_there_is_one_run(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    """``IDEMPOTENCY_CALLS`` says how many; at most a thousand connections are open at a time."""
    gate = asyncio.Semaphore(CONNECTIONS)
    body = b'{"payload":{"a":1}}'
    head = (
        f"POST /webhook/{installed.path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {installed.key}\r\n"
        f"Idempotency-Key: all-at-once\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    request = head.encode() + body

    async def one() -> tuple[int, str | None]:
        async with gate:
            answer = await exchange(gateway.port, request)
        return answer.status, answer.json().get("executionId") or answer.json().get("code")

    started = time.perf_counter()
    answers = await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    seconds = time.perf_counter() - started

    print(f"{AT_ONCE} calls in {seconds:.1f} s: {Counter(status for status, _ in answers)}")
    said = {status: {value for s, value in answers if s == status} for status, _ in answers}
    assert set(said) <= {200, 409}
    assert said.get(409, {"IDEMPOTENCY_IN_PROGRESS"}) == {"IDEMPOTENCY_IN_PROGRESS"}
    assert len(said[200]) == 1
    assert await runs_of(world, installed) == list(said[200])
    await eventually(lambda: installed.calls)
    assert len(installed.calls) == 1
