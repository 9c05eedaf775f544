"""Whether a step of a rollout costs more the more installations there are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from bench.figures import Cell, Section, Target, median, rounded
from bench.rollout.check import verdict
from bench.rollout.costs import Cost, costs_since, positions, processor_seconds
from bench.rollout.fleet import create_fleet
from bench.rollout.site import Site, running
from bench.rollout.watch import Watched, begun, ended, progress, settled
from bench.sizes import Size

_ORGANIZATIONS = 10
_WORKERS = 2
_ASKED = 30
_A_SECOND_AT_LEAST = 3.0
_UPDATE, _PLAN, _CLOSE, _SHOW = "updateInstallation", "planRollout", "closeRollout", "getRolloutPublic"
_STEPS = {"an update": _UPDATE, "planning a page": _PLAN, "closing": _CLOSE, "progress": _SHOW}
_OF = ("read calls", "documents read", "documents written")
_HOW = (
    "Fleets of {counts} installations of three workflows, one after the other on the same servers; n8n is "
    "the stand-in that answers at once, so the platform's own work is all there is. Every installation is "
    "updated: nothing is left out for being many. Counted from the workers' logs (`firestore` of every "
    "request's line); the dearest request counts. A page has at most 200 installations. Progress is asked "
    "for every second while it lasts, and {asked} times afterwards, when the totals are stored. A count "
    "reads a document per thousand counted, as Firestore bills it."
)


@dataclass(frozen=True, slots=True)
class _Grown:
    """A rollout of one size."""

    count: int
    watched: Watched
    costs: Mapping[str, Cost]
    shown_ms: list[float]
    processor: float
    """Seconds of all processes."""


async def measure(size: Size, folder: Path, seed: int) -> Section:
    """Return what steps cost in rollouts of growing size."""
    async with running(folder, workers=_WORKERS, seed=seed, at_once=1) as site:
        await site.stand_in("pace", {"scale": 0})
        grown = [await _grown(site, count, seed + count) for count in size.fan_outs]
    return _section(grown)


async def _grown(site: Site, count: int, seed: int) -> _Grown:
    fleet = await create_fleet(site, count, _ORGANIZATIONS, seed)
    starts, before = positions(site), sum(processor_seconds().values())
    rollout_id = await begun(site, fleet, "1.1")
    watched = await ended(site, fleet, rollout_id, 120 + count / _A_SECOND_AT_LEAST)
    spent = sum(processor_seconds().values()) - before
    await settled(site, fleet, 60)
    found = await verdict(site, fleet, rollout_id, ("1.0", "1.1"))
    assert found.clean, str(found)
    assert found.statuses == {"deployed": count}, str(found)
    costs = costs_since(site, starts)
    shown: list[float] = []
    for _ in range(_ASKED):
        began = time.perf_counter()
        await progress(site, fleet, rollout_id)
        shown.append((time.perf_counter() - began) * 1000)
    rows = cast("list[dict[str, str]]", await site.stand_in("workflows"))
    await site.stand_in("forget", {"ids": [row["id"] for row in rows]})
    return _Grown(count, watched, costs, shown, spent)


def _section(grown: list[_Grown]) -> Section:
    rows: list[tuple[Cell, ...]] = [_row("whole rollout, s", grown, lambda one: one.watched.seconds)]
    rows += [
        _row("updates a second", grown, lambda one: one.count / one.watched.seconds),
        _row("processor time an installation, ms", grown, lambda one: one.processor / one.count * 1000),
    ]
    for what, name in _STEPS.items():
        costs = [one.costs[name] for one in grown]
        for which, of in enumerate(_OF):
            rows.append((f"{what}: {of}", *(cost.most(which) for cost in costs)))
        rows.append((f"{what}: p50, ms", *(rounded(median(cost.milliseconds)) for cost in costs)))
    rows.append(_row("progress when it is over: p50, ms", grown, lambda one: median(one.shown_ms)))
    first, last = grown[0], grown[-1]
    return Section(
        name="growth",
        title="Rollouts of growing size",
        how=_HOW.format(counts=", ".join(f"{one.count:,}" for one in grown), asked=_ASKED),
        columns=("", *(f"{one.count:,}" for one in grown)),
        rows=tuple(rows),
        targets=tuple(_targets(first, last)),
    )


def _targets(first: _Grown, last: _Grown) -> Iterator[Target]:
    """Yield what must not grow."""
    update = [one.costs[_UPDATE] for one in (first, last)]
    for which, of in enumerate(_OF):
        more = update[1].mean(which) / update[0].mean(which)
        yield Target(f"an update, {of}: with the most / with the fewest", rounded(more, 2), 1.05)
    for what, name in (("planning a page", _PLAN), ("progress", _SHOW)):
        more = last.costs[name].most(0) - first.costs[name].most(0)
        yield Target(f"{what}, read calls more with the most than with the fewest", more, 0)
    slower = median(update[1].milliseconds) / median(update[0].milliseconds)
    yield Target("an update, p50: with the most / with the fewest", rounded(slower, 2), 1.2)


def _row(
    what: str, grown: list[_Grown], figure: Callable[[_Grown], float], digits: int = 1
) -> tuple[Cell, ...]:
    return (what, *(rounded(figure(one), digits) for one in grown))
