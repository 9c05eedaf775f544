"""A version rolled out to many installations: its time beside the bare calls, its costs, and under attack."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Cell, Section, Target, median, quantile, rounded
from bench.rollout import attack, growth
from bench.rollout.baseline import Bared, bare_updates
from bench.rollout.check import verdict
from bench.rollout.costs import Cost, costs_since, positions, processor_seconds
from bench.rollout.fleet import Fleet, create_fleet
from bench.rollout.site import Site, running
from bench.rollout.watch import Watched, begun, ended, settled
from bench.sizes import Size
from shared.services.rollouts.queues import UPDATES_AT_ONCE

SEED = int(os.environ.get("ROLLOUT_SEED", "20261123"))
WORKERS = 2
ORGANIZATIONS = 10
_A_SECOND_AT_LEAST = 0.5
_UPDATE, _PLAN, _SHOW = "updateInstallation", "planRollout", "getRolloutPublic"
_HOW = (
    "{count:,} installations of three workflows (a parent, two sub-workflows) in {organizations} "
    "organizations; a version in which every workflow changed is published. {workers} worker processes, our "
    "Firestore and task servers, and a stand-in for n8n that answers as late as a real one did with so many "
    "updates under way (`bench/standin/latencies.json`). Bare: the same calls – save, publish, probe – by "
    "one client over one connection pool, as many ensembles at once as the queue lets through: {at_once}. "
    "The platform's time is from the commit of the publication to the end of the last installation. An n8n "
    "that is not busy answers ten at once as fast as one: no real n8n does, but it shows what the platform "
    "itself takes."
)


@dataclass(frozen=True, slots=True)
class Compared:
    """One rollout beside its bare calls."""

    watched: Watched
    bared: Bared
    processor: Mapping[str, float]
    """Seconds by process."""
    costs: Mapping[str, Cost]

    @property
    def ratio(self) -> float:
        """The platform's time as a multiple of the bare calls'."""
        return self.watched.seconds / self.bared.seconds


async def measure(size: Size) -> list[Section]:
    """Return the figures of rollouts of this size."""
    sections: list[Section] = []
    with tempfile.TemporaryDirectory(prefix="podium-rollout-") as folder:
        names = ("busy", "calm", "attacked", "grown")
        busy, calm, attacked, grown = (_folder(folder, name) for name in names)
        async with running(busy, workers=WORKERS, seed=SEED, at_once=UPDATES_AT_ONCE) as site:
            fleet = await create_fleet(site, size.fan_out, ORGANIZATIONS, SEED)
            real = await compared(site, fleet, "1.1")
        async with running(calm, workers=WORKERS, seed=SEED, at_once=1) as site:
            fleet = await create_fleet(site, size.fan_out, ORGANIZATIONS, SEED)
            fast = await compared(site, fleet, "1.1")
        sections.append(_section(size.fan_out, real, fast))
        print(f"bench: rollout / bare calls {real.ratio:.2f}, {fast.ratio:.2f}", file=sys.stderr, flush=True)
        sections.append(await attack.measure(size, attacked, SEED))
        sections.append(await growth.measure(size, grown, SEED))
    return sections


def _folder(below: str, name: str) -> Path:
    folder = Path(below) / name
    folder.mkdir()
    return folder


async def compared(site: Site, fleet: Fleet, mark: str) -> Compared:
    """Roll a version out, then make the bare calls for as many ensembles.

    Raises:
        AssertionError: an installation did not end as it must.
    """
    count = len(fleet.instance_ids)
    await site.stand_in("pace", {"scale": 1})
    starts, before = positions(site), processor_seconds()
    rollout_id = await begun(site, fleet, mark)
    watched = await ended(site, fleet, rollout_id, 120 + count / _A_SECOND_AT_LEAST)
    after = processor_seconds()
    await settled(site, fleet, 60)
    found = await verdict(site, fleet, watched.rollout_id, ("1.0", mark))
    assert found.clean, str(found)
    assert found.statuses["deployed"] == count, str(found)
    taken = {role: after[role] - before.get(role, 0.0) for role in after}
    costs = costs_since(site, starts)
    bared = await bare_updates(site, fleet, count, UPDATES_AT_ONCE, 1)
    return Compared(watched, bared, taken, costs)


def _section(count: int, real: Compared, fast: Compared) -> Section:
    rows: list[tuple[Cell, ...]] = [
        ("whole rollout, s", *_pair(real, fast, lambda one: one.watched.seconds)),
        ("bare calls, s", *_pair(real, fast, lambda one: one.bared.seconds)),
        ("ratio", *_pair(real, fast, lambda one: one.ratio, 2)),
        ("updates a second", *_pair(real, fast, lambda one: count / one.watched.seconds)),
    ]
    for role in ("gateway", "firestore", "tasks"):
        spent = (rounded(one.processor.get(role, 0) / count * 1000) for one in (real, fast))
        rows.append((f"processor time an installation, {role}, ms", *spent))
    for which, what in enumerate(("read calls", "documents read", "documents written")):
        means = (rounded(one.costs[_UPDATE].mean(which)) for one in (real, fast))
        rows.append((f"an update: {what}", *means))
    rows += [
        ("planning a page: read calls, most", *_pair(real, fast, lambda one: one.costs[_PLAN].most(0), 0)),
        ("progress: read calls, most", *_pair(real, fast, lambda one: one.costs[_SHOW].most(0), 0)),
        ("progress p50, ms", *_pair(real, fast, lambda one: median(one.watched.asked_ms))),
        ("progress p95, ms", *_pair(real, fast, lambda one: quantile(one.watched.asked_ms, 0.95))),
    ]
    how = _HOW.format(count=count, organizations=ORGANIZATIONS, workers=WORKERS, at_once=UPDATES_AT_ONCE)
    return Section(
        name="rollout",
        title=f"A publish to {count:,} installations",
        how=how,
        columns=("", "real n8n's latencies", "n8n not busy"),
        rows=tuple(rows),
        targets=(Target("rollout / bare calls, real n8n's latencies", rounded(real.ratio, 2), 1.2),),
    )


def _pair(
    real: Compared, fast: Compared, figure: Callable[[Compared], float], digits: int = 1
) -> tuple[float, float]:
    return rounded(figure(real), digits), rounded(figure(fast), digits)
