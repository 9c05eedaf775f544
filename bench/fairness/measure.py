"""What a quiet tenant feels of a flooding one, and how many runs end in a second."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

from bench.fairness.flood import flooding
from bench.fairness.single import single_queue
from bench.figures import Section, Target, median, quantile, rounded
from bench.installed import Installed, install
from bench.load import each, rate, timed
from bench.session import Session, connections
from bench.sizes import Size

CONNECTIONS = 16
_WARM_UP = 3
_HOW = (
    "Two organizations on the business plan, one n8n, two cores for everything. Quiet: one run at a time, "
    "from sending the trigger until its result is visible, {runs} of them a round, {rounds} rounds; "
    "medians over the rounds. Flood: the other organization has {backlog} runs waiting and triggers "
    "{feed:g} more a second; all of them end before the next step. Single queue: the same triggers at a "
    "gateway that books all runs into one queue with the limits there were before lanes, {single} quiet "
    "runs. Sustained: from the first trigger to the end of the last run, {triggers} triggers by each "
    "tenant, beside {direct} direct calls of the webhook that do the same work, {connections} "
    "connections. n8n down: its process is stopped, so it takes connections and answers nothing."
)


@dataclass(slots=True)
class _Taken:
    """Milliseconds per quiet run by round, runs per second, milliseconds per trigger."""

    alone: list[list[float]] = field(default_factory=list)
    beside: list[list[float]] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    one_queue: float = 0
    direct: list[float] = field(default_factory=list)
    one_tenant: list[float] = field(default_factory=list)
    two_tenants: list[float] = field(default_factory=list)
    up: list[float] = field(default_factory=list)
    down: list[float] = field(default_factory=list)


async def measure(session: Session) -> Section:
    """Return the figures of both tenants as ratios within one run."""
    taken, size = _Taken(), session.size
    loud, quiet = await install(session), await install(session.of(1))
    async with connections(1) as http:
        await _lives(quiet, http, _WARM_UP)
        for _ in range(size.fair_rounds):
            taken.alone.append(await _lives(quiet, http, size.quiet_runs))
            async with flooding(loud, size.backlog, size.fed):
                taken.beside.append(await _lives(quiet, http, size.quiet_runs))
            await _sustained(loud, quiet, taken)
        async with single_queue(session) as gateway:
            async with flooding(loud, size.backlog, size.fed, gateway):
                taken.single = await _lives(quiet, http, size.quiet_runs // 5, gateway)
            taken.one_queue = await _completed([loud], http, size.triggers, gateway)
        await _acceptance(quiet, http, taken)
    return _section(size, taken)


async def _lives(
    installed: Installed, http: aiohttp.ClientSession, count: int, gateway: str | None = None
) -> list[float]:
    async def life() -> None:
        await installed.ended(await installed.trigger(http, gateway))

    return [(await timed(life()))[0] for _ in range(count)]


async def _sustained(loud: Installed, quiet: Installed, taken: _Taken) -> None:
    size = loud.session.size
    async with connections(CONNECTIONS) as http:
        bodies = await loud.register(size.direct_calls)
        per_second, _ = await rate(bodies, CONNECTIONS, lambda body: loud.call_directly(http, body))
        taken.direct.append(per_second)
        taken.one_tenant.append(await _completed([loud], http, size.triggers))
        taken.two_tenants.append(await _completed([loud, quiet], http, size.triggers))


async def _completed(
    tenants: list[Installed], http: aiohttp.ClientSession, triggers: int, gateway: str | None = None
) -> float:
    """Return how many runs a second were accepted and ended, from the first trigger to the last end."""
    turns = [tenant for _ in range(triggers) for tenant in tenants]

    async def all_runs() -> None:
        runs = await each(turns, CONNECTIONS, lambda tenant: tenant.trigger(http, gateway))
        for tenant in tenants:
            await tenant.all_ended([run for run, of in zip(runs, turns, strict=True) if of is tenant])

    milliseconds, _ = await timed(all_runs())
    return len(turns) / milliseconds * 1000


async def _acceptance(installed: Installed, http: aiohttp.ClientSession, taken: _Taken) -> None:
    for _ in range(installed.session.size.fair_rounds):
        up = await _triggers(installed, http)
        await installed.all_ended(list(up))
        with _stopped(installed.session):
            down = await _triggers(installed, http)
        await installed.all_ended(list(down))
        taken.up += up.values()
        taken.down += down.values()


async def _triggers(installed: Installed, http: aiohttp.ClientSession) -> dict[str, float]:
    """Return milliseconds by run, of as many triggers as latencies are taken of."""
    taken = [await timed(installed.trigger(http)) for _ in range(installed.session.size.pairs)]
    return {execution_id: milliseconds for milliseconds, execution_id in taken}


@contextmanager
def _stopped(session: Session) -> Iterator[None]:
    """Let n8n take connections and answer nothing while the block runs."""
    process = session.stack.pid("n8n")
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def _section(size: Size, taken: _Taken) -> Section:
    alone, beside = _p95(taken.alone), _p95(taken.beside)
    direct, one, two = (median(r) for r in (taken.direct, taken.one_tenant, taken.two_tenants))
    up, down = quantile(taken.up, 0.5), quantile(taken.down, 0.5)
    single = quantile(taken.single, 0.95)
    return Section(
        name="fairness",
        title="A quiet tenant beside a flooding one",
        how=_HOW.format(
            runs=size.quiet_runs,
            rounds=size.fair_rounds,
            backlog=size.backlog,
            feed=size.fed,
            single=len(taken.single),
            triggers=size.triggers,
            direct=size.direct_calls,
            connections=CONNECTIONS,
        ),
        columns=("", "figure", "beside it", "ratio"),
        rows=(
            _row("quiet p50, ms: with a flood; alone", _p50(taken.beside), _p50(taken.alone)),
            _row("quiet p95, ms: with a flood; alone", beside, alone),
            _row("quiet p95, ms: with a flood in a single queue; alone", single, alone),
            _row("runs ended a second: one tenant; direct calls", one, direct),
            _row("runs ended a second: two tenants; direct calls", two, direct),
            _row("runs ended a second: one tenant, single queue; direct calls", taken.one_queue, direct),
            _row("trigger p50, ms: n8n down; n8n up", down, up),
        ),
        targets=(
            Target("p95 of a quiet tenant beside a flood / alone", rounded(beside / alone, 2), 2),
            Target("trigger p50 with n8n down / up", rounded(down / up, 2), 1.2),
        ),
    )


def _p95(rounds: list[list[float]]) -> float:
    return median([quantile(values, 0.95) for values in rounds])


def _p50(rounds: list[list[float]]) -> float:
    return median([quantile(values, 0.5) for values in rounds])


def _row(what: str, ours: float, beside: float) -> tuple[str, float, float, float]:
    return (what, rounded(ours), rounded(beside), rounded(ours / beside, 2))
