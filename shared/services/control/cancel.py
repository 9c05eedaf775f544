"""Cancel a run: it ends at once, whatever n8n still does with it (decision 0028)."""

from __future__ import annotations

from datetime import timedelta

from shared.errors import Conflict
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.execution import Execution, ExecutionStatus
from shared.services.audit import audited
from shared.services.control.queues import stop_task
from shared.services.platform import Platform
from shared.services.runs.finish import fail
from shared.services.runs.queues import forget
from shared.store import refs
from shared.store.store import Found

CANCELLED = "CANCELLED"

_ERROR = {"type": "unknown", "code": CANCELLED, "message": "The run was cancelled."}

_AFTER_THE_COMMIT = timedelta(milliseconds=500)


async def cancel(platform: Platform, found: Found[Execution], key: ApiKey | None) -> bool:
    """End a pending run as cancelled; return whether this call did (``False``: it was cancelled before).

    What waits is never sent: a worker's claim needs the version it read. What was sent is stopped in n8n by a
    task, and what it reports afterwards is refused. ``key`` is absent for a run of many: the job is audited.

    Raises:
        Conflict (``EXECUTION_NOT_PENDING``): it ended by itself, or does so at this moment.
    """
    run = found.value
    if run.status is not ExecutionStatus.PENDING:
        return _settled(run)
    # Booked first: a run that is cancelled must not go on in n8n because a process died in between.
    at = platform.sources.now() + _AFTER_THE_COMMIT
    await platform.queue.create(stop_task(run.process_instance_id, run.execution_id, at))
    entry = key and audited(
        platform, key, AuditAction.EXECUTION_CANCELLED, run.organization_id, run.execution_id
    )
    if not await fail(platform, run, _ERROR, also=[entry] if entry else ()):
        now = await platform.store.get(refs.execution(run.process_instance_id, run.execution_id))
        return _settled(now.value if now else run)
    await forget(platform.queue, run.execution_id)
    return True


def was_cancelled(run: Execution) -> bool:
    """Return whether a run ended because somebody cancelled it."""
    return run.status is ExecutionStatus.FAILED and (run.error_details or {}).get("code") == CANCELLED


def _settled(run: Execution) -> bool:
    if was_cancelled(run):
        return False
    raise Conflict(
        f"Execution {run.execution_id} has already ended as {run.status.value}: there is nothing to cancel.",
        code="EXECUTION_NOT_PENDING",
        details={"status": run.status.value},
    )
