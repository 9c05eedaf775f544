"""Look for the installations a rollout is for: one target and one task for each, a page at a time.

A page that is repeated changes nothing: targets are created once, and tasks have names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta

from shared.model.listing import Installation
from shared.model.organization import Organization
from shared.model.rollout import Rollout, RolloutStatus, Target, TargetStatus
from shared.model.transitions import moved, reached
from shared.services.deployments.lease import StillHeld
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.rollouts.followers import PAGE, followers
from shared.services.rollouts.queues import close_task, plan_task, update_queue, update_task
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.store import Create, Found, Patch, Write

_RECORDED_WITHIN = 5
"""Deliveries after which a rollout that is not recorded never will be."""

_FIRST_LOOK = timedelta(seconds=2)
_TRIES = 5
_AT_ONCE = 20
_RETRIED = (TargetStatus.FAILED, TargetStatus.CANCELLED)


async def plan(platform: Platform, rollout_id: str, attempt: int, after: str | None, deliveries: int) -> str:
    """Plan the page after an installation and book the next one; return what happened, for the log.

    Raises:
        StillHeld: the rollout is not recorded yet, or others changed it all the time.
    """
    for _ in range(_TRIES):
        found = await platform.store.get(refs.rollout(rollout_id))
        if found is None or found.value.attempt < attempt:
            # The task is booked before the rollout is recorded.
            if deliveries < _RECORDED_WITHIN:
                raise StillHeld("The rollout is not recorded yet.")
            return "never recorded"
        if found.value.attempt > attempt or found.value.status.is_terminal:
            return "outdated"
        with suppress(StoreConflict):
            return await _page(platform, found, rollout_id, after)
    raise StillHeld("The rollout changes all the time.")


async def _page(platform: Platform, found: Found[Rollout], rollout_id: str, after: str | None) -> str:
    rollout = found.value
    claims = await followers(platform, rollout.process_id, after)
    is_last = len(claims) < PAGE
    page = await targets_for(platform, rollout_id, rollout, claims)
    progress: dict[str, object] = {"found": rollout.found + page.added}
    if claims:
        progress["planned_after"] = max(rollout.planned_after or "", claims[-1].process_instance_id)
    if is_last:
        progress["status"] = reached(rollout.status, RolloutStatus.RUNNING)
    await platform.store.commit(Patch(found.ref, progress, found.update_time), *page.writes)
    point("rollout.page_recorded")
    await book_updates(platform, rollout_id, page.waiting, str(rollout.attempt))
    point("rollout.updates_booked")
    if is_last:
        at = platform.sources.now() + _FIRST_LOOK
        await platform.queue.create(close_task(rollout_id, rollout.attempt, 0, 0, -1, at))
    else:
        last = claims[-1].process_instance_id
        await platform.queue.create(plan_task(rollout_id, rollout.attempt, last))
    return f"{len(page.waiting)} of {len(claims)}{', the last' if is_last else ''}"


class Page:
    """What a page of installations comes to: what to write, and the targets that need a task."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.waiting: list[tuple[str, Target]] = []
        """The queue and the target."""
        self.added = 0


async def targets_for(
    platform: Platform, rollout_id: str, rollout: Rollout, claims: Sequence[Installation]
) -> Page:
    """Return what makes targets of installations, those of an attempt before among them; one round trip."""
    page = Page()
    claims = [claim for claim in claims if claim.process_instance_id != rollout.production_instance_id]
    if not claims:
        return page
    known = [refs.rollout_target(rollout_id, claim.process_instance_id) for claim in claims]
    ids = list(dict.fromkeys(claim.organization_id for claim in claims))
    found = await platform.store.fetch(*known, *(refs.organization(one) for one in ids))
    organizations = dict(zip(ids, found[len(known) :], strict=True))
    for claim, reference, target in zip(claims, known, found, strict=False):
        organization = organizations[claim.organization_id]
        if organization is None:
            continue
        queue = update_queue(organization.value.backend_id, self_hosted=organization.value.self_hosted)
        if target is None:
            new = _target(rollout, claim, organization.value)
            page.writes.append(Create(reference, new))
            page.waiting.append((queue, new))
            page.added += 1
        elif target.value.status in _RETRIED and target.value.attempt < rollout.attempt:
            page.writes.append(Patch(reference, _again(rollout, target.value), target.update_time))
            page.waiting.append((queue, target.value))
        elif not target.value.status.is_terminal:
            page.waiting.append((queue, target.value))
    return page


async def book_updates(
    platform: Platform, rollout_id: str, waiting: Iterable[tuple[str, Target]], attempt: str
) -> None:
    """Book one task for each target; those that were booked under that name are left alone."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def book(queue: str, target: Target) -> None:
        async with limit:
            task = update_task(queue, rollout_id, target.process_instance_id, attempt)
            await platform.queue.create(task)

    await asyncio.gather(*(book(queue, target) for queue, target in waiting))


def _target(rollout: Rollout, claim: Installation, organization: Organization) -> Target:
    return Target(
        organization_id=claim.organization_id,
        process_instance_id=claim.process_instance_id,
        backend_id=organization.backend_id,
        attempt=rollout.attempt,
    )


def _again(rollout: Rollout, target: Target) -> dict[str, object]:
    return {
        "status": moved(target.status, TargetStatus.PENDING),
        "attempt": rollout.attempt,
        "deployment_instance_id": None,
        "error": None,
        "error_code": None,
        "started_at": None,
        "ended_at": None,
    }
