"""What a run costs in Firestore operations and tasks, with few and with many earlier runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mode

import aiohttp

from bench.api import CallFailed
from bench.figures import Cell, Section, Target, quantile, rounded
from bench.history import add_runs
from bench.installed import Installed, install
from bench.life import WARM_UP, Life, follow
from bench.log_lines import NOTHING, Operations, operations_of, position
from bench.queue import created_so_far, held
from bench.session import Session, connections

FEW = 10
_LIFE = ("triggerWebhookPublic", "dispatchExecution", "submitWorkflowResult")
_BOUNDS = {
    "trigger: read calls": 1,
    "trigger: documents read": 2,
    "trigger: writes": 2,
    "trigger: tasks": 1,
    "life: read calls": 3,
    "life: writes": 5,
    "life: tasks": 3,
}
_ACCEPTED = "trigger accepted p50, ms"
_HOW = (
    "Two installations of the same use case, one with {few} earlier runs, one with {many:,} (written "
    "directly); {runs} runs of each, alternating, one at a time. Counted from the gateway's log (`firestore` "
    "of every request's line) and from the queue server's numbering of tasks. What most runs cost counts, "
    "beside the most that any did: once a second a trigger also reads the organization's account, and once a "
    "minute it is written down when its key was used and the installation ran. The life of a run is trigger, "
    "dispatch and callback, each with one batched read. Its tasks are dispatch, supervision and the settling "
    "of its charge, which runs that end within half a second share."
)


@dataclass(frozen=True, slots=True)
class _Run:
    """What one run cost: its trigger, and all of its life."""

    life: Life
    trigger: Operations
    all: Operations
    tasks: int


@dataclass(frozen=True, slots=True)
class _History:
    """An installation with so many earlier runs, and what is measured on it."""

    installed: Installed
    earlier: int
    trigger_tasks: int
    runs: list[_Run] = field(default_factory=list)


async def measure(session: Session) -> Section:
    """Return operations per run and latencies, at two lengths of history."""
    size = session.size
    few = await _history(session, FEW)
    many = await _history(session, size.earlier_runs)
    async with connections(1) as http:
        for number in range(size.counted_runs + WARM_UP):
            for history in (few, many):
                run = await _run(history.installed, http)
                if number >= WARM_UP:
                    history.runs.append(run)
    return _section(few, many, size.earlier_runs, size.counted_runs)


async def _history(session: Session, earlier: int) -> _History:
    installed = await install(session)
    await add_runs(installed, earlier)
    async with connections(1) as http:
        # Nothing is delivered meanwhile: what is counted is the trigger's own.
        async with held(session):
            before = created_so_far(session)
            execution_id = await installed.trigger(http)
            tasks = created_so_far(session) - before
        await installed.ended(execution_id)
    return _History(installed, earlier, tasks)


async def _run(installed: Installed, http: aiohttp.ClientSession) -> _Run:
    session = installed.session
    start, tasks = position(session), created_so_far(session)
    life = await follow(installed, http)
    trigger, dispatch, callback = await _logged(session, life.execution_id, start)
    return _Run(life, trigger, trigger + dispatch + callback, created_so_far(session) - tasks)


async def _logged(session: Session, execution_id: str, start: int) -> list[Operations]:
    """Return the operations of trigger, dispatch and callback.

    The result is visible before the callback is answered, and n8n answers the dispatch after that.
    """
    for _ in range(100):
        logged = operations_of(session, execution_id, start)
        found = [logged.get(name, []) for name in _LIFE]
        if all(found):
            # A request that was repeated counts in full.
            return [sum(requests, NOTHING) for requests in found]
        await asyncio.sleep(0.02)
    raise CallFailed(f"not all of {', '.join(_LIFE)} were logged for run {execution_id}")


def _counted(history: _History) -> Mapping[str, Sequence[int]]:
    """Return what each run cost."""
    runs = history.runs
    return {
        "trigger: read calls": [run.trigger.round_trips for run in runs],
        "trigger: documents read": [run.trigger.reads for run in runs],
        "trigger: writes": [run.trigger.writes for run in runs],
        "trigger: tasks": [history.trigger_tasks],
        "life: read calls": [run.all.round_trips for run in runs],
        "life: documents read": [run.all.reads for run in runs],
        "life: writes": [run.all.writes for run in runs],
        "life: tasks": [run.tasks for run in runs],
    }


def _taken(history: _History) -> Mapping[str, float]:
    """Return milliseconds."""
    accepted = [run.life.accepted for run in history.runs]
    overhead = [run.life.overhead for run in history.runs]
    return {
        _ACCEPTED: rounded(quantile(accepted, 0.5)),
        "trigger accepted p95, ms": rounded(quantile(accepted, 0.95)),
        "overhead to the result p50, ms": rounded(quantile(overhead, 0.5)),
        "overhead to the result p95, ms": rounded(quantile(overhead, 0.95)),
    }


def _section(few: _History, many: _History, earlier: int, runs: int) -> Section:
    counted, counted_many = _counted(few), _counted(many)
    taken, taken_many = _taken(few), _taken(many)
    usual = {name: (mode(costs), mode(counted_many[name])) for name, costs in counted.items()}
    rows: list[tuple[Cell, ...]] = [
        (name, *both, max(*counted[name], *counted_many[name])) for name, both in usual.items()
    ]
    rows += [(name, value, taken_many[name], "") for name, value in taken.items()]
    ratio = rounded(taken_many[_ACCEPTED] / taken[_ACCEPTED], 2)
    return Section(
        name="operations",
        title="Operations of a run",
        how=_HOW.format(runs=runs, few=FEW, many=earlier),
        columns=("per run", f"with {FEW} earlier runs", f"with {earlier:,}", "at most"),
        rows=tuple(rows),
        targets=(
            *(
                Target(f"{name}, at either length of history", max(usual[name]), bound)
                for name, bound in _BOUNDS.items()
            ),
            Target("trigger p50 with many / with few earlier runs", ratio, 1.2),
        ),
    )
