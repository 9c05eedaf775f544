"""From trigger to visible result, beside n8n's own run time."""

from __future__ import annotations

import time
from dataclasses import dataclass

import aiohttp

from bench.api import CallFailed
from bench.figures import Section, Target, quantile, rounded
from bench.installed import Installed, install
from bench.load import timed
from bench.n8n_runs import milliseconds_of
from bench.session import Session, connections
from shared.store import refs

WARM_UP = 3
_HOW = (
    "One run at a time, {runs} of them: from sending the trigger until `GET /status/…?wait=30` has answered "
    "with the result. Beside it n8n's own account of that very run (`startedAt` to `stoppedAt`), and a "
    "direct call of the webhook made between two runs. The overhead is taken per run."
)
_TARGET = "result visible after n8n's own run time, ms ({})"


@dataclass(frozen=True, slots=True)
class Life:
    """One run: milliseconds until it was accepted, until its result was visible, and inside n8n."""

    execution_id: str
    accepted: float
    total: float
    in_n8n: float

    @property
    def overhead(self) -> float:
        """What the platform adds to n8n's own run time."""
        return self.total - self.in_n8n


async def measure(session: Session) -> Section:
    """Return what the platform adds between trigger and result."""
    runs = session.size.runs
    installed = await install(session)
    lives: list[Life] = []
    direct: list[float] = []
    async with connections(1) as http, connections(1) as past:
        for body in await installed.register(runs + WARM_UP):
            lives.append(await follow(installed, http))
            milliseconds, _ = await timed(installed.call_directly(past, body))
            direct.append(milliseconds)
    return _section(lives[WARM_UP:], direct[WARM_UP:])


async def follow(installed: Installed, http: aiohttp.ClientSession) -> Life:
    """Return the life of a new run."""
    started = time.perf_counter()
    accepted, execution_id = await timed(installed.trigger(http))
    await installed.ended(execution_id)
    total = (time.perf_counter() - started) * 1000
    found = await installed.session.platform.store.get(refs.execution(installed.instance_id, execution_id))
    if found is None or found.value.n8n_execution_id is None:
        raise CallFailed(f"run {execution_id} is not linked to n8n's")
    return Life(
        execution_id, accepted, total, await milliseconds_of(installed.session, found.value.n8n_execution_id)
    )


def _section(lives: list[Life], direct: list[float]) -> Section:
    overhead = [life.overhead for life in lives]
    return Section(
        name="life",
        title="From trigger to result",
        how=_HOW.format(runs=len(lives)),
        columns=("ms", "p50", "p95"),
        rows=(
            _row("trigger to visible result", [life.total for life in lives]),
            _row("n8n's own run time", [life.in_n8n for life in lives]),
            _row("overhead", overhead),
            _row("direct call of the webhook", direct),
        ),
        targets=tuple(
            Target(_TARGET.format(name), rounded(quantile(overhead, q)), 150)
            for name, q in (("p50", 0.5), ("p95", 0.95))
        ),
    )


def _row(what: str, values: list[float]) -> tuple[str, float, float]:
    return (what, rounded(quantile(values, 0.5)), rounded(quantile(values, 0.95)))
