"""Begin a rollout in the commit that publishes."""

from __future__ import annotations

from datetime import timedelta

from shared.model.project import Process
from shared.model.rollout import Rollout, RolloutStatus
from shared.model.template import Template
from shared.model.transitions import moved
from shared.services.platform import Platform
from shared.services.rollouts.followers import has_followers
from shared.services.rollouts.queues import plan_task
from shared.store import refs
from shared.store.store import Create, Patch, Write

_AFTER_THE_COMMIT = timedelta(seconds=1)


async def prepare_rollout(platform: Platform, process_id: str, process: Process) -> str | None:
    """Return the id of a rollout that is to begin, ``None`` when nobody follows the process.

    Its planning is booked before it is recorded: whoever dies in between leaves a task that finds nothing.
    """
    if not await has_followers(platform, process_id, process.prod_instance_id):
        return None
    rollout_id = platform.sources.auto_id()
    at = platform.sources.now() + _AFTER_THE_COMMIT
    await platform.queue.create(plan_task(rollout_id, 1, None, at))
    return rollout_id


async def beginning_rollout(
    platform: Platform,
    rollout_id: str | None,
    process_id: str,
    process: Process,
    template_id: str,
    template: Template,
    started_by: str,
    production_id: str | None,
) -> list[Write]:
    """Return what begins a rollout and ends the one before, on condition that it stays as it was read."""
    if rollout_id is None:
        return []
    number = process.rollout_number + 1
    rollout = Rollout(
        organization_id=process.organization_id,
        process_id=process_id,
        project_id=process.project_id,
        template_id=template_id,
        version=template.version,
        number=number,
        production_instance_id=production_id,
        started_by=started_by,
        created_at=platform.sources.now(),
    )
    return [
        Create(refs.rollout(rollout_id), rollout),
        Patch(refs.process(process_id), {"rollout_number": number, "rollout_id": rollout_id}),
        *await _superseding(platform, process.rollout_id),
    ]


async def _superseding(platform: Platform, rollout_id: str | None) -> list[Write]:
    found = await platform.store.get(refs.rollout(rollout_id)) if rollout_id else None
    if found is None:
        return []
    changes: dict[str, object] = {}
    if not found.value.status.is_terminal:
        status = moved(found.value.status, RolloutStatus.SUPERSEDED)
        changes = {"status": status, "ended_at": platform.sources.now()}
    # Without changes it is a condition alone: nobody resumes it at the same time.
    return [Patch(found.ref, changes, found.update_time)]
