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
_CALM, _ROUNDS = 200, 3
_UPDATE, _PLAN, _SHOW = "updateInstallation", "planRollout", "getRolloutPublic"
_HOW = (
    "{count:,} installations of three workflows (a parent, two sub-workflows) in {organizations} "
    "organizations; a version in which every workflow changed is published. {workers} worker processes, our "
    "Firestore and task servers, and a stand-in for n8n that answers as late as a real one did with so many "
    "updates under way (`bench/standin/latencies.json`). Bare: the same calls – save, publish, probe – by "
    "one client over one connection pool, as many ensembles at once as the queue lets through: {at_once}. "
    "The platform's time is from the commit of the publication to the end of the last installation."
)
_HOW_CALM = (
    "As above, {count:,} installations, with a stand-in that answers ten at once as fast as a real n8n "
    "answers one at a time. None does: this is what the platform itself takes, on two cores that also run "
    "the stand-in, Firestore and the client. {rounds} times in turns with the bare calls, medians; the bare "
    "client is one process, the workers are {workers}."
)


@dataclass(frozen=True, slots=True)
class Compared:
    """One rollout beside its bare calls."""

    count: int
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
        sections.append(_section("rollout", _HOW, [real]))
        _say(f"rollout / bare calls {real.ratio:.2f}")
        async with running(calm, workers=WORKERS, seed=SEED, at_once=1) as site:
            fleet = await create_fleet(site, min(size.fan_out, _CALM), ORGANIZATIONS, SEED)
            rounds = [await compared(site, fleet, f"1.{n + 1}") for n in range(_ROUNDS)]
        sections.append(_section("calm", _HOW_CALM, rounds))
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
    found = await verdict(site, fleet, watched.rollout_id, ("", mark))
    assert found.clean, str(found)
    assert found.statuses["deployed"] == count, str(found)
    taken = {role: after[role] - before.get(role, 0.0) for role in after}
    costs = costs_since(site, starts)
    bared = await bare_updates(site, fleet, count, UPDATES_AT_ONCE, 1)
    return Compared(count, watched, bared, taken, costs)


def _section(name: str, how: str, rounds: list[Compared]) -> Section:
    count = rounds[0].count
    rows: list[tuple[Cell, ...]] = [
        ("whole rollout, s", _of(rounds, lambda one: one.watched.seconds)),
        ("bare calls, s", _of(rounds, lambda one: one.bared.seconds)),
        ("ratio", _of(rounds, lambda one: one.ratio, 2)),
        ("updates a second", _of(rounds, lambda one: count / one.watched.seconds)),
    ]
    for role in ("gateway", "firestore", "tasks"):
        spent = median([one.processor.get(role, 0) / count * 1000 for one in rounds])
        rows.append((f"processor time an installation, {role}, ms", rounded(spent)))
    for which, what in enumerate(("read calls", "documents read", "documents written")):
        mean = median([one.costs[_UPDATE].mean(which) for one in rounds])
        rows.append((f"an update: {what}", rounded(mean)))
    rows += [
        ("planning a page: read calls, most", _of(rounds, lambda one: one.costs[_PLAN].most(0), 0)),
        ("progress: read calls, most", _of(rounds, lambda one: one.costs[_SHOW].most(0), 0)),
        ("progress p50, ms", _of(rounds, lambda one: median(one.watched.asked_ms))),
        ("progress p95, ms", _of(rounds, lambda one: quantile(one.watched.asked_ms, 0.95))),
    ]
    filled = how.format(
        count=count,
        organizations=ORGANIZATIONS,
        workers=WORKERS,
        at_once=UPDATES_AT_ONCE,
        rounds=len(rounds),
    )
    real = name == "rollout"
    ratio = _of(rounds, lambda one: one.ratio, 2)
    return Section(
        name=name,
        title=f"A publish to {count:,} installations{'' if real else ' of an n8n that is not busy'}",
        how=filled,
        columns=("", "real n8n's latencies" if real else "latencies of one at a time"),
        rows=tuple(rows),
        targets=(Target("rollout / bare calls", ratio, 1.2),) if real else (),
    )


def _of(rounds: list[Compared], figure: Callable[[Compared], float], digits: int = 1) -> float:
    return rounded(median([figure(one) for one in rounds]), digits)


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
