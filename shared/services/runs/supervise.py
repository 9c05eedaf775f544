"""Look after a run that has not reported: n8n knows whether it still runs (platform §15.4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.executions.classification import classify_execution
from shared.executions.details import withheld
from shared.model.execution import DispatchState, Execution, ExecutionStatus
from shared.n8n.errors import N8nUnreachable
from shared.n8n.executions import N8nStatus
from shared.services.credits.queues import book, settle_task
from shared.services.events.runs import tell_again
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.services.runs.finish import fail
from shared.services.runs.queues import supervise_task
from shared.store import refs
from shared.store.store import Found
from shared.telemetry.current import follow

FAILED = (N8nStatus.ERROR, N8nStatus.CRASHED, N8nStatus.CANCELED)

GIVE_UP_QUEUED_AFTER = timedelta(hours=24)
"""A run that n8n could not be given for this long is failed."""


LOOK_FOR_AGAIN_AFTER = timedelta(seconds=60)
"""Longer than the queue lets a run wait for its next dispatch: by then what n8n never saw is sent again."""


async def supervise(
    platform: Platform,
    process_instance_id: str,
    execution_id: str,
    round_: int,
    missed: datetime | None = None,
) -> str:
    """Fail a run that is gone, or book the next look; return what was decided, for the log.

    ``missed`` is when the run was sent that n8n had no trace of at the look before.

    Raises:
        UpstreamError: n8n cannot be asked; the task is delivered again.
    """
    found = await platform.store.get(refs.execution(process_instance_id, execution_id))
    if found is not None:
        follow(found.value.traceparent, found.value.tracestate)
    if found is None:
        return "finished"
    run = found.value
    if run.status is not ExecutionStatus.PENDING:
        # Whoever ended it takes this task back; that it is here says that they may not have come so far.
        await tell_again(platform, run)
        await book(platform, settle_task(run.organization_id, platform.sources.now()))
        return "finished"
    if run.dispatch is DispatchState.QUEUED:
        return await _still_queued(platform, found, round_)
    client = await n8n_client(platform, run.backend_id)
    try:
        seen = await client.find_execution_of(run.n8n_workflow_id, run.execution_id, run.created_at)
    except N8nUnreachable:
        return await _look_again(platform, run, round_, "n8n is down")
    if seen is None and run.started_at not in (None, missed):
        return await _look_for_it_again(platform, run, round_)
    if seen is None:
        return await _timed_out(platform, found, "n8n has no trace of this run any more.")
    if not seen.status.over:
        return await _look_again(platform, run, round_, "still running")
    if seen.status in FAILED:
        full = await client.get_execution(seen.id)
        details = withheld(classify_execution(full.document), of_another=run.of_another)
        await fail(platform, run, details.fields(), seen.id)
        return "failed in n8n"
    return await _timed_out(
        platform,
        found,
        "The workflow ended without reporting: every path must end in Submit Result or Report Error.",
        seen.id,
    )


async def _still_queued(platform: Platform, found: Found[Execution], round_: int) -> str:
    run = found.value
    if platform.sources.now() - run.created_at < GIVE_UP_QUEUED_AFTER:
        return await _look_again(platform, run, round_, "queued")
    error = {
        "type": "timeout",
        "code": "N8N_UNREACHABLE",
        "message": "n8n could not be reached for 24 hours.",
    }
    await fail(platform, run, error)
    return "given up"


async def _look_again(platform: Platform, run: Execution, round_: int, why: str) -> str:
    at = platform.sources.now() + platform.settings.run_timeout
    await platform.queue.create(supervise_task(run.process_instance_id, run.execution_id, at, round_ + 1))
    return why


async def _look_for_it_again(platform: Platform, run: Execution, round_: int) -> str:
    at = platform.sources.now() + LOOK_FOR_AGAIN_AFTER
    instance_id, execution_id = run.process_instance_id, run.execution_id
    await platform.queue.create(supervise_task(instance_id, execution_id, at, round_ + 1, run.started_at))
    return "missing"


async def _timed_out(
    platform: Platform, found: Found[Execution], message: str, n8n_execution_id: str | None = None
) -> str:
    error = {"type": "timeout", "code": "NO_REPORT", "message": message}
    await fail(platform, found.value, error, n8n_execution_id)
    return "timed out"
