"""One page of a job: what is done to each run may be done twice, and comes to the same (decision 0028)."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from shared.errors import PlatformError, UpstreamError
from shared.model.execution import Execution
from shared.model.execution_job import ExecutionJob, JobAction, JobStatus
from shared.services.control.cancel import cancel
from shared.services.control.queues import page_task
from shared.services.control.repeat import Repeat, RunOn, begin_again
from shared.services.control.select import PAGE, Selected, page_of
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.runs.order import TryLater
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch

_AT_ONCE = 10
_AFTER_THE_COMMIT = timedelta(milliseconds=200)

_PATIENCE = 5
"""Deliveries after which a job that is not there is taken for one that was never begun."""

_NOTHING_TO_DO = {"EXECUTION_NOT_PENDING", "EXECUTION_PENDING", "EXECUTION_NOT_FOUND"}
"""What says that a run is no longer as it was when it was selected."""


async def do_page(
    platform: Platform, process_instance_id: str, job_id: str, page: int, deliveries: int
) -> str:
    """Do a page of a job and book the next one; return what was done, for the log.

    Raises:
        TryLater: the page before is not finished.
    """
    found = await platform.store.get(refs.execution_job(process_instance_id, job_id))
    if found is None:
        if deliveries < _PATIENCE:
            raise TryLater("The job is not recorded yet.")
        return "never begun"
    job = found.value
    if job.status is not JobStatus.RUNNING:
        return job.status.value
    if job.page != page:
        if job.page < page:
            raise TryLater("The page before is not finished.")
        return "done before"
    runs = await page_of(platform, job)
    outcomes = await _done_to_all(platform, job_id, job, runs)
    point("control.page_done")
    return await _recorded(platform, job_id, found, runs, outcomes)


async def _done_to_all(
    platform: Platform, job_id: str, job: ExecutionJob, runs: Sequence[Selected]
) -> list[str]:
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(selected: Selected) -> str:
        async with limit:
            return await _done(platform, job_id, job, selected.execution_id)

    return list(await asyncio.gather(*(one(selected) for selected in runs)))


async def _done(platform: Platform, job_id: str, job: ExecutionJob, execution_id: str) -> str:
    """Do the job's action to a run; return the code of what prevented it, else nothing."""
    reference = refs.execution(job.process_instance_id, execution_id)
    found = await platform.store.get(reference)
    if found is None:
        return "EXECUTION_NOT_FOUND"
    try:
        if job.action is JobAction.CANCEL:
            await cancel(platform, found, None)
        else:
            await _repeat(platform, job_id, job, found.value)
    except UpstreamError:
        raise
    except PlatformError as error:
        if error.status >= 500:
            raise
        return error.code
    return ""


async def _repeat(platform: Platform, job_id: str, job: ExecutionJob, run: Execution) -> None:
    is_retry = job.action is JobAction.RETRY
    how = Repeat(
        run_on=RunOn.SAME if is_retry else RunOn.NEWEST,
        is_retry=is_retry,
        caller_key_id=job.caller_key_id,
        execution_id=_id_of(job_id, job, run.execution_id),
    )
    endpoint = await platform.store.get(refs.endpoint(job.process_instance_id, run.workflow_id))
    await begin_again(platform, run, endpoint, how)


def _id_of(job_id: str, job: ExecutionJob, execution_id: str) -> str:
    """Return the id of the run that repeats another in a job: a second try makes the same one.

    A UUIDv7 whose time is when the job began; its other bits follow from job and run.
    """
    h = hashlib.sha256(f"{job_id}/{execution_id}".encode()).hexdigest()
    t = f"{int(job.created_at.timestamp() * 1000):012x}"
    return f"{t[:8]}-{t[8:]}-7{h[:3]}-8{h[3:6]}-{h[6:18]}"


async def _recorded(
    platform: Platform,
    job_id: str,
    found: Found[ExecutionJob],
    runs: Sequence[Selected],
    outcomes: Sequence[str],
) -> str:
    """Write down a page once, also if the job was cancelled while it was done."""
    job = found.value
    progress = _progress(job, runs, outcomes)
    if len(runs) < PAGE:
        progress |= {"status": JobStatus.COMPLETED, "ended_at": platform.sources.now()}
    else:
        at = platform.sources.now() + _AFTER_THE_COMMIT
        await platform.queue.create(page_task(job.process_instance_id, job_id, job.page + 1, at))
    try:
        await platform.store.commit(Patch(found.ref, progress, found.update_time))
    except Changed:
        now = await platform.store.get(found.ref)
        if now is None or now.value.page != job.page or now.value.status is not JobStatus.CANCELLED:
            return "done by another"
        kept = {name: value for name, value in progress.items() if name not in ("status", "ended_at")}
        await platform.store.commit(Patch(found.ref, kept, now.update_time))
    return f"{len(runs)} runs"


def _progress(job: ExecutionJob, runs: Sequence[Selected], outcomes: Sequence[str]) -> dict[str, object]:
    skipped = sum(code in _NOTHING_TO_DO for code in outcomes)
    failed = Counter(code for code in outcomes if code and code not in _NOTHING_TO_DO)
    done = sum(not code for code in outcomes)
    return {
        "page": job.page + 1,
        "last_created_at": runs[-1].created_at if runs else job.last_created_at,
        "last_execution_id": runs[-1].execution_id if runs else job.last_execution_id,
        "done": job.done + done,
        "skipped": job.skipped + skipped,
        "failed": job.failed + failed.total(),
        "reasons": dict(Counter(job.reasons) + failed),
    }
