"""A publish to many installations while n8n fails, workers are killed and tasks come twice.

n8n is a stand-in that answers as late as a real one and fails by a seed (``bench/standin``). The large size
is ``CHAOS_SIZE=large``, a thousand installations; ``ROLLOUT_SEED`` replays a run.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import cast

from bench.rollout.attack import PATIENCE, attack
from bench.rollout.bare import Ensemble, opened
from bench.rollout.check import Verdict, verdict
from bench.rollout.fleet import Fleet, create_fleet
from bench.rollout.site import Site, running
from bench.rollout.trouble import Plan
from bench.standin.server import API_KEY
from shared.model.rollout import TargetStatus
from shared.store import refs
from shared.store.store import Patch
from tests.chaos.conftest import LARGE
from tests.chaos.figures import Tally

SEED = int(os.environ.get("ROLLOUT_SEED", random.randrange(10**6)))
COUNT, ORGANIZATIONS = (1_000, 10) if LARGE else (30, 3)
# With one update at a time a real n8n answers fast; ten at a time keep it as busy as it can be.
LATENCIES_OF = 10 if LARGE else 1
KILLS = Plan(SEED, 20) if LARGE else Plan(SEED, 2, copied=0.3, most_kills=1, look_every=0.5)


async def test_every_installation_has_one_version_whatever_breaks_and_a_resumed_rollout_brings_the_new_one(
    tmp_path: Path, tally: Tally
) -> None:
    print(f"seed {SEED}")
    async with running(tmp_path, workers=2, seed=SEED, at_once=LATENCIES_OF, environ=PATIENCE) as site:
        fleet = await create_fleet(site, COUNT, ORGANIZATIONS, SEED)

        found = await attack(site, fleet, KILLS, rate=0.05, late=LARGE)
        sabotaged = await sabotage(site, fleet, found.watched.rollout_id)

    tally.kills["workers of rollouts"] += found.trouble.kills
    for status, number in found.first.statuses.items():
        tally.outcomes[f"installations {status}"] += number
    assert found.trouble.kills >= 1
    assert sum(found.injected.values()) >= 1
    assert found.first.clean, str(found.first)
    assert found.first.statuses["deployed"] + found.first.statuses["failed"] == COUNT, str(found.first)
    assert found.resumed.clean, str(found.resumed)
    assert found.resumed.statuses == {"deployed": COUNT}, str(found.resumed)
    assert len(sabotaged.duplicates) == len(sabotaged.strays) == 1, str(sabotaged)
    assert sabotaged.mixed, "a workflow of another version went unnoticed"
    assert any("failed without a reason" in text for text in sabotaged.wrong), str(sabotaged)


async def sabotage(site: Site, fleet: Fleet, rollout_id: str) -> Verdict:
    """Return what is said of a copied workflow, one of another version, and a failure without a reason."""
    rows = cast("list[dict[str, str]]", await site.stand_in("workflows"))
    first, second = [row["id"] for row in rows if fleet.instance_ids[0] in row["name"]][:2]
    await site.stand_in("copy", {"ids": [first], "texts": [{}]})
    bare = opened(site.n8n_url, API_KEY)
    try:
        await bare.update(Ensemble(((second,),), {second: await bare.read(second)}), "another")
    finally:
        await bare.http.aclose()
    forgotten = refs.rollout_target(rollout_id, fleet.instance_ids[-1])
    await site.platform.store.commit(Patch(forgotten, {"status": TargetStatus.FAILED}))
    return await verdict(site, fleet, rollout_id, ("1.0", "1.1"))
