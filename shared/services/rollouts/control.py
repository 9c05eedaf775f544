"""Stop a rollout, and let it go on (platform §12)."""

from __future__ import annotations

from contextlib import suppress

from shared.errors import Conflict
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.rollout import RolloutStatus
from shared.model.transitions import moved, reached
from shared.services.audit import audited
from shared.services.platform import Platform
from shared.services.rollouts.access import accessible_rollout
from shared.services.rollouts.queues import plan_task, sweep_task
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.store import Patch

_TRIES = 20


async def cancel_rollout(platform: Platform, key: ApiKey, rollout_id: str) -> RolloutStatus:
    """Let a rollout begin no more updates; those that go on end. One that was cancelled stays so.

    Raises:
        NotFound (``ROLLOUT_NOT_FOUND``), Forbidden: no access to the project.
        Conflict (``ROLLOUT_ENDED``): there is nothing left to cancel.
    """
    for _ in range(_TRIES):
        found = await accessible_rollout(platform, key, rollout_id)
        rollout = found.value
        if rollout.status is RolloutStatus.CANCELLED:
            await platform.queue.create(sweep_task(rollout_id, rollout.attempt))
            return rollout.status
        if rollout.status.is_terminal:
            raise Conflict(f"The rollout is {rollout.status} already.", code="ROLLOUT_ENDED")
        status = moved(rollout.status, RolloutStatus.CANCELLED)
        changes = {"status": status, "ended_at": platform.sources.now()}
        entry = audited(
            platform,
            key,
            AuditAction.ROLLOUT_CANCELLED,
            rollout.organization_id,
            rollout_id,
            version=rollout.version,
        )
        with suppress(StoreConflict):
            await platform.store.commit(Patch(found.ref, changes, found.update_time), entry)
            # Should this be lost, every target's own task finds the rollout cancelled.
            await platform.queue.create(sweep_task(rollout_id, rollout.attempt))
            return status
    raise _too_many()


async def resume_rollout(platform: Platform, key: ApiKey, rollout_id: str) -> RolloutStatus:
    """Look for installations again: what failed or was cancelled is tried anew, lost tasks are made up for.

    Raises:
        NotFound (``ROLLOUT_NOT_FOUND``), Forbidden: no access to the project.
        Conflict (``ROLLOUT_SUPERSEDED``): a newer version was published; its rollout is the one to resume.
    """
    for _ in range(_TRIES):
        found = await accessible_rollout(platform, key, rollout_id)
        rollout = found.value
        process = await platform.store.get(refs.process(rollout.process_id))
        if process is None or process.value.rollout_id != rollout_id:
            raise Conflict(
                "A newer version was published. Resume the rollout of that one.", code="ROLLOUT_SUPERSEDED"
            )
        attempt = rollout.attempt + 1
        changes = {
            "status": reached(rollout.status, RolloutStatus.PLANNING),
            "attempt": attempt,
            "planned_after": None,
            "counts": None,
            "ended_at": None,
        }
        entry = audited(
            platform,
            key,
            AuditAction.ROLLOUT_RESUMED,
            rollout.organization_id,
            rollout_id,
            version=rollout.version,
        )
        await platform.queue.create(plan_task(rollout_id, attempt, None))
        with suppress(StoreConflict):
            # A publish at the same time writes to the process: only one of the two comes through.
            newest = Patch(process.ref, {}, process.update_time)
            await platform.store.commit(Patch(found.ref, changes, found.update_time), newest, entry)
            return RolloutStatus.PLANNING
    raise _too_many()


def _too_many() -> Conflict:
    return Conflict("Too many changes at once. Try again in a moment.", code="TRY_AGAIN")
