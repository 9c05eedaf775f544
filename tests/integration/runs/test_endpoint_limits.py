"""An endpoint may limit how many of its runs go on, and how many begin within a minute (decision 0025)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from shared.model.execution import DispatchState
from shared.services.runs.lanes import lane_of
from shared.store import refs
from shared.store.store import Patch
from tests.integration.runs.test_dispatching import dispatch_body
from tests.integration.runs.test_lanes import AtOnce, all_ended, cloud_tasks, narrow, queue_name, triggered
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import hangs, reporting, started
from tests.integration.world.world import World


async def test_no_more_runs_than_allowed_go_on_at_once_and_every_one_ends(
    world: World, gateway: Gateway
) -> None:
    installed = await limited(world, max_running=2)
    slow = AtOnce(0.1)
    installed.behave(slow)

    runs = await triggered(gateway, installed, 16)

    await all_ended(gateway, installed, runs)
    assert slow.most == 2
    assert sorted(slow.runs) == sorted(runs), "each was sent once"


async def test_what_waits_for_room_arrives_with_its_payload(world: World, gateway: Gateway) -> None:
    installed = await limited(world, max_running=1)
    installed.behave(AtOnce(0.3))
    payloads = [{"number": 1}, {"number": 2}, {"number": 3, "text": "x" * 600_000}]

    runs = [await gateway.trigger(installed.path, installed.key, payload) for payload in payloads]

    await all_ended(gateway, installed, runs)
    arrived = {call.body["number"]: len(call.body.get("text", "")) for call in installed.calls}
    assert arrived == {1: 0, 2: 0, 3: 600_000}


async def test_two_processes_never_send_more_than_allowed(world: World, gateway: Gateway) -> None:
    other = await world.another_gateway("other process", DISPATCH_ACCEPT_AFTER_SECONDS="1")
    installed = await limited(world, max_running=1)
    installed.behave(hangs)
    tasks = [await dispatch_body(installed) for _ in range(10)]

    answers = await asyncio.gather(
        *(
            world.deliver("dispatchExecution", task, at)
            for task, at in zip(tasks, [gateway, other] * 5, strict=True)
        )
    )

    assert {answer.status_code for answer in answers} <= {200, 503}
    assert len(installed.calls) <= 1
    await purged(world, installed)


async def test_no_more_runs_than_allowed_begin_within_a_minute(world: World, gateway: Gateway) -> None:
    installed = await limited(world, max_runs_per_minute=2)
    installed.behave(reporting(resultData=1))
    tasks = [await dispatch_body(installed) for _ in range(4)]

    outcomes = [(await world.deliver("dispatchExecution", task)).json()["data"]["outcome"] for task in tasks]

    assert outcomes == ["accepted", "accepted", "waits for room", "waits for room"]
    assert len(installed.calls) == 2
    due = sorted((await world.booked(lane_of(installed.tenant.organization_id), "")).values())
    first, second = (moment - world.platform.sources.now() for moment in due)
    assert timedelta(seconds=20) < first < timedelta(seconds=65)
    assert second - first > timedelta(seconds=20), "each waits for a moment of its own"
    await purged(world, installed)


async def test_a_run_whose_worker_vanished_takes_its_own_place_again(world: World, gateway: Gateway) -> None:
    installed = await limited(world, max_running=1)
    installed.behave(reporting(resultData=1))
    long_ago = world.platform.sources.now() - timedelta(minutes=1)
    task = await dispatch_body(installed, dispatch=DispatchState.SENDING, started_at=long_ago)

    answer = await world.deliver("dispatchExecution", task)

    assert answer.json()["data"]["outcome"] == "accepted"
    assert len(installed.calls) == 1


async def limited(world: World, **limits: int) -> Installation:
    """Return an installation of an organization of its own, whose endpoint has limits, and its lane few."""
    installed = await world.install(await world.tenant())
    await narrow(world, installed, at_once=8)
    await world.platform.store.commit(Patch(refs.endpoint(installed.id, "main"), dict(limits)))
    return installed


async def purged(world: World, installed: Installation) -> None:
    async with cloud_tasks(world) as client:
        await client.purge_queue(name=queue_name(world, lane_of(installed.tenant.organization_id)))


async def test_a_run_that_ends_long_after_n8n_answered_lets_the_next_one_in(
    world: World, gateway: Gateway
) -> None:
    installed = await limited(world, max_running=1)
    installed.behave(started)
    first = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: installed.calls)
    second = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: "waits for room" in outcomes_of(gateway, second))
    assert len(installed.calls) == 1

    (call,) = installed.calls
    secret = {name: call.metadata[name] for name in ("executionId", "executionSecret")}
    answer = await gateway.callback("submitWorkflowResult", {**secret, "resultData": 1})

    assert (answer.status_code, call.execution_id) == (200, first)
    # By itself it would look again only five seconds after it was told to wait.
    await eventually(lambda: len(installed.calls) == 2, seconds=3)
    assert installed.calls[1].execution_id == second


def outcomes_of(gateway: Gateway, execution_id: str) -> list[str]:
    return [line.get("outcome", "") for line in gateway.lines_about(execution_id, "dispatchExecution")]
