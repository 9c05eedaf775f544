"""A delivery that a third party sends again begins no second run (decisions 0021 and 0022)."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from tests.integration.world.gateway import eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import started
from tests.integration.world.signing import BODY, VENDORS, WHSEC, Sender, kind_of, standard
from tests.integration.world.world import World


@pytest.fixture
async def sender(world: World, installed: Installation) -> Sender:
    sender = Sender(world, installed)
    await sender.paste("standard", WHSEC)
    return sender


async def deliver(
    sender: Sender,
    event: str,
    secret: str = WHSEC,
    body: bytes = BODY,
    prefix: str = "webhook",
    key: str = "",
) -> httpx.Response:
    """Deliver an event as Standard Webhooks describes; every delivery has a time of its own."""
    headers = standard(body, secret, int(time.time()), event, prefix) | (
        {"Idempotency-Key": key} if key else {}
    )
    path = f"/webhook/{sender.installed.id}/{sender.workflow}"
    return await sender.world.gateway.http.post(path, content=body, headers=headers)


def run_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["executionId"])


@pytest.mark.parametrize("vendor", VENDORS)
async def test_an_event_that_is_delivered_again_is_the_run_it_began(
    world: World, installed: Installation, vendor: str
) -> None:
    sender, now = Sender(world, installed), int(time.time())
    await sender.paste(kind_of(vendor), WHSEC)
    # Stripe counts its tries inside the event, so that it differs each time.
    body = b'{"id":"evt_9","event_id":"Ev9","type":"paid","pending_webhooks":%d}'

    answers = [await sender.send(vendor, WHSEC, body % number, at=now) for number in range(3)]

    assert len({run_of(answer) for answer in answers}) == 1
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", "true"]
    await eventually(lambda: installed.calls)
    await asyncio.sleep(0.2)
    (call,) = installed.calls
    assert call.body["pending_webhooks"] == 0
    # Only one that comes again is looked up.
    assert world.gateway.cost_of(answers[0], reads=2)["roundTrips"] == 1


async def test_of_many_deliveries_at_once_one_begins_a_run(sender: Sender) -> None:
    answers = await asyncio.gather(*(deliver(sender, "evt_many") for _ in range(12)))

    # Who comes while the first is at work is told to come again, which senders do.
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({run_of(answer) for answer in answers if answer.status_code == 200}) == 1
    assert run_of(await deliver(sender, "evt_many")) in {run_of(a) for a in answers if a.status_code == 200}
    await eventually(lambda: sender.installed.calls)
    await asyncio.sleep(0.2)
    assert len(sender.installed.calls) == 1


async def test_the_same_id_from_another_sender_or_for_another_workflow_is_another_event(
    world: World, sender: Sender
) -> None:
    _, other = await sender.mint("Another sender")
    neighbour = Sender(world, await world.install())
    neighbour.installed.behave(started)
    await neighbour.paste("standard", WHSEC)

    runs = [
        run_of(await deliver(sender, "evt_1")),
        run_of(await deliver(sender, "evt_1", other)),
        run_of(await deliver(neighbour, "evt_1")),
        run_of(await deliver(sender, "evt_2")),
    ]

    assert len(set(runs)) == 4
    assert run_of(await deliver(sender, "evt_1", prefix="svix")) == runs[0]


async def test_a_refused_delivery_is_not_remembered(world: World) -> None:
    installed = await world.install(trigger_type=None)
    sender = Sender(world, installed)
    await sender.paste("standard", WHSEC)
    wrong = WHSEC.replace("whsec_YS", "whsec_YT")

    refused = [(await deliver(sender, "evt_3", secret)).status_code for secret in (WHSEC, wrong)]
    other = Sender(world, await world.install())
    other.installed.behave(started)
    await other.paste("standard", WHSEC)
    forged = await deliver(other, "evt_3", wrong)
    first = await deliver(other, "evt_3")

    assert refused == [400, 401]
    assert forged.status_code == 401
    assert "idempotent-replayed" not in first.headers
    run_of(first)


async def test_calls_without_an_id_are_runs_of_their_own(world: World, installed: Installation) -> None:
    sender, now = Sender(world, installed), int(time.time())
    await sender.paste("slack", WHSEC)
    command, form = b"command=%2Fweather", "application/x-www-form-urlencoded"

    answers = [await sender.send("slack", WHSEC, command, at=now, content_type=form) for _ in range(2)]

    assert len({run_of(answer) for answer in answers}) == 2


async def test_a_senders_idempotency_key_does_not_stand_in_for_its_own_id(sender: Sender) -> None:
    runs = {run_of(await deliver(sender, event, key="one")) for event in ("evt_4", "evt_5")}

    assert len(runs) == 2
