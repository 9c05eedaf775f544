"""Do something to many runs: begun, looked at, stopped (decision 0028)."""

from __future__ import annotations

from datetime import timedelta

from shared.errors import Conflict, NotFound
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.execution_job import ExecutionJob, JobAction, JobStatus, Selection
from shared.services.access import accessible_instance
from shared.services.audit import audited
from shared.services.control.queues import page_task
from shared.services.control.select import checked, count
from shared.services.credits.gate import admit
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Create, Found, Patch

_KEPT = timedelta(days=90)
_AFTER_THE_COMMIT = timedelta(milliseconds=300)
_TRIES = 20


async def count_or_begin(
    platform: Platform,
    key: ApiKey,
    process_instance_id: str,
    action: JobAction,
    selection: Selection,
    *,
    dry_run: bool,
) -> tuple[int, str | None]:
    """Return how many runs are selected, and the id of the job that takes care of them.

    There is no job when none are selected, or when only their number is asked for. What comes later is not
    meant: a job has the runs that were there when it began.

    Raises:
        NotFound, Forbidden: as for any use of the installation. InvalidRequest: as in :mod:`.select`.
        InsufficientCredits: no run can begin. One that cannot later on is counted by the job as failed.
    """
    instance = (await accessible_instance(platform, key, process_instance_id)).value
    now = platform.sources.now()
    wanted = checked(action, selection)
    if wanted.execution_ids is None:
        wanted.until = min(wanted.until or now, now)
    total = await count(platform, process_instance_id, wanted)
    if dry_run or total == 0:
        return total, None
    if action is not JobAction.CANCEL:
        await admit(platform, instance.organization_id, 0)
    job = ExecutionJob(
        organization_id=instance.organization_id,
        process_instance_id=process_instance_id,
        action=action,
        selection=wanted,
        total=total,
        caller_key_id=key.key_id,
        created_at=now,
        expire_at=now + _KEPT,
    )
    job_id = platform.sources.auto_id()
    entry = audited(
        platform,
        key,
        AuditAction.EXECUTION_JOB_STARTED,
        instance.organization_id,
        process_instance_id,
        jobId=job_id,
        does=action.value,
        total=total,
    )
    await platform.queue.create(page_task(process_instance_id, job_id, 0, now + _AFTER_THE_COMMIT))
    await platform.store.commit(Create(refs.execution_job(process_instance_id, job_id), job), entry)
    return total, job_id


async def accessible_job(
    platform: Platform, key: ApiKey, process_instance_id: str, job_id: str
) -> Found[ExecutionJob]:
    """Return a job of an installation the caller may use.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``, ``JOB_NOT_FOUND``), Forbidden.
    """
    await accessible_instance(platform, key, process_instance_id)
    found = await platform.store.get(refs.execution_job(process_instance_id, job_id))
    if found is None:
        raise NotFound(f"Job {job_id} not found.", code="JOB_NOT_FOUND")
    return found


async def cancel_job(platform: Platform, key: ApiKey, process_instance_id: str, job_id: str) -> ExecutionJob:
    """Let a job begin no more pages. One that was cancelled stays so; what it did is not undone.

    Raises:
        NotFound, Forbidden: as in :func:`accessible_job`.
        Conflict (``JOB_ENDED``): there is nothing left to cancel.
    """
    for _ in range(_TRIES):
        found = await accessible_job(platform, key, process_instance_id, job_id)
        job = found.value
        if job.status is JobStatus.CANCELLED:
            return job
        if job.status is JobStatus.COMPLETED:
            raise Conflict("The job is completed already.", code="JOB_ENDED")
        changes = {"status": JobStatus.CANCELLED, "ended_at": platform.sources.now()}
        entry = audited(
            platform,
            key,
            AuditAction.EXECUTION_JOB_CANCELLED,
            job.organization_id,
            process_instance_id,
            jobId=job_id,
        )
        try:
            await platform.store.commit(Patch(found.ref, changes, found.update_time), entry)
        except Changed:
            continue
        return job.model_copy(update=changes)
    raise Conflict("Too many changes at once. Try again in a moment.", code="TRY_AGAIN")
