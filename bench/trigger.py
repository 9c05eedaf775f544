"""Accepting a trigger, beside calling the same n8n webhook directly."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.figures import Section, Target, median, quantile, rounded
from bench.installed import Installed, install
from bench.load import rate, timed
from bench.queue import held
from bench.session import Session, connections
from bench.sizes import Size

CONNECTIONS = 16
_HOW = (
    "Latency: one connection, one call at a time, trigger and direct call alternating; the next call "
    "waits until the run of the one before has ended. Throughput: {connections} connections, {direct} "
    "direct calls, then {triggers} triggers, {rounds} time(s), medians. Every direct call brings an "
    "execution registered beforehand, so that n8n does the same work for both. With the queue running, "
    "n8n executes accepted runs while more are accepted."
)


@dataclass(slots=True)
class _Taken:
    """Milliseconds per call, calls per second per round."""

    trigger: list[float] = field(default_factory=list)
    direct: list[float] = field(default_factory=list)
    direct_rate: list[float] = field(default_factory=list)
    running_rate: list[float] = field(default_factory=list)
    held_rate: list[float] = field(default_factory=list)


async def measure(session: Session) -> Section:
    """Return acceptance latency and throughput as ratios to direct calls."""
    taken, installed = _Taken(), await install(session)
    await _latencies(installed, taken)
    for _ in range(session.size.rounds):
        await _throughput(installed, taken)
    return _section(session.size, taken)


async def _latencies(installed: Installed, taken: _Taken) -> None:
    pairs = installed.session.size.pairs
    warm_up = 5
    bodies = await installed.register(pairs + warm_up)
    async with connections(1) as ours, connections(1) as theirs:
        for number, body in enumerate(bodies):
            milliseconds, execution_id = await timed(installed.trigger(ours))
            await installed.ended(execution_id)
            direct, _ = await timed(installed.call_directly(theirs, body))
            if number >= warm_up:
                taken.trigger.append(milliseconds)
                taken.direct.append(direct)


async def _throughput(installed: Installed, taken: _Taken) -> None:
    size = installed.session.size
    bodies = await installed.register(size.direct_calls)
    async with connections(CONNECTIONS) as http:
        per_second, _ = await rate(bodies, CONNECTIONS, lambda body: installed.call_directly(http, body))
        taken.direct_rate.append(per_second)
        triggers = range(size.triggers)
        per_second, runs = await rate(triggers, CONNECTIONS, lambda _: installed.trigger(http))
        taken.running_rate.append(per_second)
        await installed.all_ended(runs)
        async with held(installed.session):
            per_second, runs = await rate(triggers, CONNECTIONS, lambda _: installed.trigger(http))
            taken.held_rate.append(per_second)
        await installed.all_ended(runs)


def _section(size: Size, taken: _Taken) -> Section:
    p50 = quantile(taken.trigger, 0.5), quantile(taken.direct, 0.5)
    p99 = quantile(taken.trigger, 0.99), quantile(taken.direct, 0.99)
    running, paused, direct = (
        median(rates) for rates in (taken.running_rate, taken.held_rate, taken.direct_rate)
    )
    return Section(
        name="trigger",
        title="Accepting a trigger",
        how=_HOW.format(
            connections=CONNECTIONS, direct=size.direct_calls, triggers=size.triggers, rounds=size.rounds
        ),
        columns=("", "platform", "n8n directly", "ratio"),
        rows=(
            _row("latency p50, ms", *p50),
            _row("latency p99, ms", *p99),
            _row("per second, queue running", running, direct),
            _row("per second, queue paused", paused, direct),
        ),
        targets=(
            Target("p50 of a trigger / p50 of a direct call", rounded(p50[0] / p50[1], 2), 0.5),
            Target("triggers per second / direct calls per second", rounded(running / direct, 2), 3, True),
        ),
    )


def _row(what: str, ours: float, theirs: float) -> tuple[str, float, float, float]:
    return (what, rounded(ours), rounded(theirs), rounded(ours / theirs, 2))
