"""A rollout from publish to end, as its publisher sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from bench.rollout.check import targets_of, unsettled
from bench.rollout.fleet import Fleet, deploy, publish
from bench.rollout.site import Site
from shared.store import refs

_PAUSE_SECONDS = 1.0
_ENDED = ("completed", "cancelled", "superseded")


@dataclass(slots=True)
class Watched:
    """A rollout that ended. ``seconds`` are from its commit to the end of the last target."""

    rollout_id: str
    seconds: float
    counts: Mapping[str, int]
    asked_ms: list[float] = field(default_factory=list)
    """How long each question for its progress took."""


async def begun(site: Site, fleet: Fleet, mark: str) -> str:
    """Deploy and publish a version; return the id of the rollout that begins."""
    template_id, process_id = await deploy(site, fleet.key, fleet.project_id, mark)
    await publish(site, fleet.key, fleet.project_id, template_id)
    process = await site.platform.store.get(refs.process(process_id))
    assert process is not None
    assert process.value.rollout_id is not None
    return process.value.rollout_id


async def ended(site: Site, fleet: Fleet, rollout_id: str, within_seconds: float) -> Watched:
    """Return a rollout once it ended.

    Raises:
        AssertionError: it did not in time.
    """
    until = time.monotonic() + within_seconds
    asked: list[float] = []
    while True:
        began = time.perf_counter()
        shown = await progress(site, fleet, rollout_id)
        asked.append((time.perf_counter() - began) * 1000)
        if shown["status"] in _ENDED:
            break
        assert time.monotonic() < until, f"the rollout did not end in time: {shown}"
        await asyncio.sleep(_PAUSE_SECONDS)
    found = await site.platform.store.get(refs.rollout(rollout_id))
    assert found is not None
    ends = [one.ended_at for one in (await targets_of(site, rollout_id)).values() if one.ended_at]
    seconds = (max(ends) - found.value.created_at).total_seconds() if ends else 0.0
    return Watched(rollout_id, seconds, cast("Mapping[str, int]", shown["counts"]), asked)


async def progress(site: Site, fleet: Fleet, rollout_id: str) -> Mapping[str, object]:
    """Return what the publisher is shown of a rollout."""
    return await site.call("GET", f"/getRolloutPublic?rolloutId={rollout_id}", fleet.key)


async def settled(site: Site, fleet: Fleet, within_seconds: float) -> None:
    """Return once nothing is at work on any installation any more.

    Raises:
        AssertionError: something still is when the time is over.
    """
    until = time.monotonic() + within_seconds
    while left := await unsettled(site, fleet.instance_ids):
        assert time.monotonic() < until, f"{len(left)} installations are not settled: {left[:5]}"
        await asyncio.sleep(_PAUSE_SECONDS)
