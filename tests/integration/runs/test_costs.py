"""What a run costs in reads, writes and tasks, as the gateway's own log lines count it."""

from __future__ import annotations

import asyncio
from typing import Any

from shared.model.execution import DispatchState, ExecutionStatus
from shared.store import refs
from shared.store.store import Create, Patch
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import reporting
from tests.integration.world.world import World

Counts = dict[str, int]


async def test_a_trigger_reads_two_documents_at_once_and_writes_one(
    gateway: Gateway, installed: Installation
) -> None:
    answers = [await gateway.post(f"/webhook/{installed.path}", installed.key) for _ in range(3)]

    # Once a second the organization's account is looked at, while its credits last for many more runs.
    first, *others = [gateway.cost_of(answer, reads=2) for answer in answers]
    assert others == [{"roundTrips": 1, "reads": 2, "writes": 1, "queries": 0}] * 2
    # Once a minute the use of the key is written down, beside the run.
    assert first == {**others[0], "writes": 2}


async def test_a_whole_run_stays_within_its_budget_however_many_runs_came_before(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    # A key's use, and when the installation last ran, are written down once a minute: here, not while it is
    # counted. The first run of a minute costs five writes, every other one three.
    await asyncio.sleep(1.1)  # the organization's account is looked at once a second
    first = await whole_life(world, gateway, installed)
    assert first["counts"] == {"roundTrips": 4, "reads": 7, "writes": 5, "queries": 0}
    before = await whole_life(world, gateway, installed)
    await earlier_runs(world, installed, before["executionId"], 2000)
    after = await whole_life(world, gateway, installed)

    for life in (before, after):
        # Key and endpoint when it is triggered; the run and again the endpoint when it is
        # sent; the run and the organization's account, at once, when it reports.
        # Once a second also the account, when the run is triggered.
        counts = life["counts"]
        looked = counts["reads"] - 6
        assert looked in (0, 1)
        assert counts == {"roundTrips": 3 + looked, "reads": 6 + looked, "writes": 3, "queries": 0}
    # The look at the run was booked once, and is forgotten when the run reports.
    assert await world.booked("supervise", str(after["executionId"])) == {}


async def test_a_run_that_costs_something_writes_its_charge_as_well(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    await world.platform.store.commit(Patch(refs.endpoint(installed.id, "main"), {"cost": 0.01}))
    await whole_life(world, gateway, installed)

    counts = (await whole_life(world, gateway, installed))["counts"]

    # Adding it to the balance is a task's, once in half a second however many runs there were.
    assert (counts["writes"], counts["queries"]) == (4, 0)


async def test_a_run_books_one_look_at_itself(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: gateway.lines_about(execution_id, "dispatchExecution"))

    assert list(await world.booked("supervise", execution_id)) == [f"supervise-{execution_id}-0"]
    assert len(gateway.lines_about(execution_id, "dispatchExecution")) == 1


async def test_a_poll_costs_one_round_trip(gateway: Gateway, installed: Installation) -> None:
    execution_id = await gateway.trigger(installed.path, installed.key)

    answer = await gateway.get(f"/status/{installed.id}/{execution_id}", installed.key)

    assert gateway.line_of(answer)["firestore"] == {"roundTrips": 1, "reads": 2, "writes": 0, "queries": 0}


async def whole_life(world: World, gateway: Gateway, installed: Installation) -> dict[str, Any]:
    """Run once from trigger to result; return the id and what was counted."""
    installed.behave(reporting(resultData={"done": True}))
    execution_id = await gateway.trigger(installed.path, installed.key)
    names = ("triggerWebhookPublic", "dispatchExecution", "submitWorkflowResult")
    await eventually(lambda: len(gateway.lines_about(execution_id)) >= 3)
    lines = gateway.lines_about(execution_id)
    assert sorted(str(line["message"]).split()[0] for line in lines) == sorted(names)
    counted = [line["firestore"] for line in lines]
    return {"executionId": execution_id, "counts": {n: sum(c[n] for c in counted) for n in counted[0]}}


async def earlier_runs(world: World, installed: Installation, like: object, count: int) -> None:
    template = await installed.run(str(like))
    ids = [world.platform.sources.uuid7() for _ in range(count)]

    async def write(batch: list[str]) -> None:
        changed = {"status": ExecutionStatus.PENDING, "dispatch": DispatchState.QUEUED, "result_data": None}
        runs = [template.model_copy(update={**changed, "execution_id": i}) for i in batch]
        await world.platform.store.commit(
            *(Create(refs.execution(installed.id, run.execution_id), run) for run in runs)
        )

    await asyncio.gather(*(write(ids[start : start + 250]) for start in range(0, count, 250)))
