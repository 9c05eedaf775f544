"""A rollout under attack: n8n fails, workers are killed, tasks come twice; then it is resumed in peace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from bench.figures import Cell, Section, Target, rounded
from bench.rollout.check import Verdict, verdict
from bench.rollout.fleet import Fleet, create_fleet
from bench.rollout.site import Site, running
from bench.rollout.trouble import Plan, Trouble, made
from bench.rollout.watch import Watched, begun, ended, settled
from bench.sizes import Size
from shared.services.rollouts.queues import UPDATES_AT_ONCE

PATIENCE = {"DEPLOY_LEASE_SECONDS": "5"}
"""Short enough to see the successors of dead workers at work."""
_HOW = (
    "{count:,} installations, seed {seed}: {rate:.0%} of the calls of n8n fail (500, 429, connections cut "
    "before or after what was asked for is done, answers half a minute late, publications refused), a "
    "worker is killed about every {every:.0f} s, and a tenth of the tasks seen comes twice, at once or up "
    "to 20 s later. Afterwards documents and n8n are compared, workflow by workflow; then the rollout is "
    "resumed with an n8n that works. *Mixed*: several versions in one ensemble, or n8n running another one "
    "than is recorded."
)


@dataclass(slots=True)
class Attacked:
    """What was done to a rollout, how it ended, and how it ended when it was resumed in peace."""

    trouble: Trouble
    injected: dict[str, int]
    watched: Watched
    first: Verdict
    resumed: Verdict


async def measure(size: Size, folder: Path, seed: int) -> Section:
    """Return what becomes of a rollout of this size under attack."""
    every = max(8.0, size.fan_out / 50)
    environ = PATIENCE
    async with running(folder, workers=2, seed=seed, at_once=UPDATES_AT_ONCE, environ=environ) as site:
        fleet = await create_fleet(site, size.fan_out, 10, seed)
        attacked = await attack(site, fleet, Plan(seed, every), 0.05)
    return _section(size.fan_out, seed, every, attacked)


async def attack(site: Site, fleet: Fleet, plan: Plan, rate: float, *, late: bool = True) -> Attacked:
    """Roll version 1.1 out while everything breaks, then resume it in peace.

    Raises:
        AssertionError: it does not end.
    """
    within = 300 + len(fleet.instance_ids) * 2
    rollout_id = await begun(site, fleet, "1.1")
    await site.stand_in("counts", {"reset": True})
    await site.stand_in("faults", {"rate": rate, "seed": plan.seed, "late": late})
    async with made(site, plan) as trouble:
        watched = await ended(site, fleet, rollout_id, within)
    await settled(site, fleet, 120)
    counts = cast("dict[str, dict[str, int]]", await site.stand_in("counts"))
    first = await verdict(site, fleet, watched.rollout_id, ("1.0", "1.1"))
    await site.stand_in("faults", {"rate": 0, "seed": 0})
    await resume(site, fleet, watched.rollout_id)
    await ended(site, fleet, watched.rollout_id, within)
    await settled(site, fleet, 60)
    resumed = await verdict(site, fleet, watched.rollout_id, ("1.0", "1.1"))
    return Attacked(trouble, counts["injected"], watched, first, resumed)


async def resume(site: Site, fleet: Fleet, rollout_id: str) -> None:
    """Resume a rollout: what failed is tried again."""
    await site.call("POST", "/resumeRolloutPublic", fleet.key, {"rolloutId": rollout_id})


def _section(count: int, seed: int, every: float, attacked: Attacked) -> Section:
    first, resumed = attacked.first, attacked.resumed
    rows: list[tuple[Cell, ...]] = [
        ("workers killed", attacked.trouble.kills),
        ("tasks delivered again", attacked.trouble.copies + attacked.trouble.forced),
        ("failures injected", sum(attacked.injected.values())),
        ("took, s", rounded(attacked.watched.seconds)),
        *((f"ended {status}", number) for status, number in sorted(first.statuses.items())),
        *((f"failed with {code}", number) for code, number in sorted(first.reasons.items())),
        ("switched off until resumed", len(first.off)),
        *((f"after resuming {status}", number) for status, number in sorted(resumed.statuses.items())),
    ]
    bad = {
        "installations without an end or a reason": len(first.wrong) + len(resumed.wrong),
        "mixed installations": len(first.mixed) + len(resumed.mixed),
        "duplicates in n8n": len(first.duplicates) + len(resumed.duplicates),
        "workflows nobody knows of": len(first.strays) + len(resumed.strays),
        "not deployed after resuming": count - resumed.statuses["deployed"],
    }
    return Section(
        name="attack",
        title=f"A publish to {count:,} installations under attack",
        how=_HOW.format(count=count, seed=seed, rate=0.05, every=every),
        columns=("", ""),
        rows=tuple(rows),
        targets=tuple(Target(what, number, 0) for what, number in bad.items()),
    )
