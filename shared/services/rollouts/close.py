"""End a rollout once every target has ended, and make up for tasks that were lost.

A task looks again and again, less often the longer nothing moves. It begins no update itself.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from shared.model.rollout import Rollout, RolloutStatus, Target, TargetStatus
from shared.model.transitions import moved
from shared.services.deployments.lease import StillHeld
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.rollouts.decide import runs
from shared.services.rollouts.followers import PAGE, first_id_at, followers
from shared.services.rollouts.plan import book_updates, targets_for
from shared.services.rollouts.queues import close_task, update_queue
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.query import Query, below, find, tally
from shared.store.store import Found, Patch

_OPEN = (TargetStatus.PENDING, TargetStatus.DEPLOYING)
_LATE = timedelta(minutes=10)
"""How long an installation may take from its id to its claim."""

_SHORTEST, _LONGEST = timedelta(seconds=2), timedelta(seconds=30)
_SLOWEST = timedelta(minutes=10)


async def close(
    platform: Platform, rollout_id: str, attempt: int, turn: int | None, stalls: int, left: int
) -> str:
    """Complete a rollout, or book the next look at it; return what happened, for the log.

    ``left`` is how many targets had not ended at the look before, ``stalls`` at how many looks in a row that
    stayed the same. Without a ``turn`` no other look follows.

    Raises:
        StillHeld: somebody changed it at the same moment; it is to be repeated.
    """
    found = await platform.store.get(refs.rollout(rollout_id))
    if found is None:
        return "unknown"
    rollout = found.value
    if rollout.attempt != attempt or rollout.status in (RolloutStatus.PLANNING, RolloutStatus.COMPLETED):
        return "outdated"
    if rollout.status.is_terminal:
        return f"{await _sweep(platform, rollout_id)} cancelled"
    counts = await counts_of(platform, rollout_id)
    now_left = sum(counts[status] for status in _OPEN)
    if now_left == 0:
        now_left = await _plan_late_ones(platform, rollout_id, rollout)
        if now_left == 0:
            return await _complete(platform, found, counts)
    stalls = stalls + 1 if now_left == left else 0
    # At the first, second, fourth, eighth, … of these looks: tasks that only wait their turn are not lost.
    if stalls and stalls & (stalls - 1) == 0:
        await _book_again(platform, rollout_id, rollout, turn or 0)
    if turn is not None:
        at = platform.sources.now() + pause_before(turn + 1, stalls)
        await platform.queue.create(close_task(rollout_id, attempt, turn + 1, stalls, now_left, at))
    return f"{now_left} left"


def pause_before(turn: int, stalls: int) -> timedelta:
    """Return how long to wait before a look: soon at first, then every half minute, later more rarely."""
    if stalls:
        return min(_LONGEST * stalls, _SLOWEST)
    return min(_SHORTEST * float(2 ** min(turn, 10)), _LONGEST)


async def counts_of(platform: Platform, rollout_id: str) -> dict[TargetStatus, int]:
    """Return the number of targets by status: one count for each, all at once."""
    statuses = list(TargetStatus)
    numbers = await asyncio.gather(*(tally(platform.store, _targets(rollout_id, s)) for s in statuses))
    return dict(zip(statuses, numbers, strict=True))


def _targets(rollout_id: str, status: TargetStatus) -> Query[Target]:
    return below(refs.rollout(rollout_id), "targets", Target).where("status", "==", status.value)


async def _complete(platform: Platform, found: Found[Rollout], counts: dict[TargetStatus, int]) -> str:
    changes = {
        "status": moved(found.value.status, RolloutStatus.COMPLETED),
        "counts": {status.value: number for status, number in counts.items()},
        "ended_at": platform.sources.now(),
    }
    try:
        await platform.store.commit(Patch(found.ref, changes, found.update_time))
    except StoreConflict:
        raise StillHeld("The rollout changed meanwhile.") from None
    point("rollout.completed")
    return "completed"


async def _plan_late_ones(platform: Platform, rollout_id: str, rollout: Rollout) -> int:
    """Make targets of what was installed while the installations were looked for, at the version before."""
    after, added = first_id_at(rollout.created_at - _LATE), 0
    while True:
        claims = await followers(platform, rollout.process_id, after)
        if not claims:
            return added
        found = await platform.store.fetch(*(refs.instance(one.process_instance_id) for one in claims))
        behind = [
            claim
            for claim, instance in zip(claims, found, strict=True)
            if instance is None or not runs(instance.value, rollout.version)
        ]
        page = await targets_for(platform, rollout_id, rollout, behind)
        if page.writes:
            try:
                await platform.store.commit(*page.writes)
            except StoreConflict:
                raise StillHeld("The rollout changed meanwhile.") from None
        await book_updates(platform, rollout_id, page.waiting, f"{rollout.attempt}")
        added += page.added
        if len(claims) < PAGE:
            return added
        after = claims[-1].process_instance_id


async def _book_again(platform: Platform, rollout_id: str, rollout: Rollout, turn: int) -> None:
    for status in _OPEN:
        targets = [
            one.value for one in await find(platform.store, _targets(rollout_id, status).at_most(PAGE))
        ]
        ids = list(dict.fromkeys(target.organization_id for target in targets))
        found = await platform.store.fetch(*map(refs.organization, ids)) if ids else ()
        own = {one: o is not None and o.value.self_hosted for one, o in zip(ids, found, strict=True)}
        waiting = [(update_queue(t.backend_id, self_hosted=own[t.organization_id]), t) for t in targets]
        await book_updates(platform, rollout_id, waiting, f"{rollout.attempt}-{turn}")


async def _sweep(platform: Platform, rollout_id: str) -> int:
    """Cancel what a rollout that was ended has not begun."""
    swept = 0
    while targets := await find(platform.store, _targets(rollout_id, TargetStatus.PENDING).at_most(PAGE)):
        patches = [_cancelling(target, platform.sources.now()) for target in targets]
        try:
            await platform.store.commit(*patches)
            swept += len(patches)
        except StoreConflict:
            # Whoever was quicker decides what becomes of one; the others are cancelled one by one.
            for patch in patches:
                with suppress(StoreConflict):
                    await platform.store.commit(patch)
                    swept += 1
    return swept


def _cancelling(target: Found[Target], now: datetime) -> Patch[Target]:
    status = moved(target.value.status, TargetStatus.CANCELLED)
    return Patch(target.ref, {"status": status, "ended_at": now}, target.update_time)
