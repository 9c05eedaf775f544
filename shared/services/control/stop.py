"""Stop in n8n what was cancelled (decision 0028)."""

from __future__ import annotations

from datetime import timedelta

from shared.model.execution import DispatchState, Execution, ExecutionStatus
from shared.n8n.errors import N8nRefused
from shared.services.control.cancel import was_cancelled
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.services.runs.order import TryLater
from shared.store import refs

_MAY_ARRIVE = timedelta(seconds=5)
"""How long n8n is given to list a run after the last moment at which a worker may have sent it."""

_PATIENCE = 5
"""Deliveries after which a run that is still not cancelled is taken for one whose cancelling died."""


async def stop(platform: Platform, process_instance_id: str, execution_id: str, deliveries: int) -> str:
    """Stop a cancelled run in n8n; return what was done, for the log.

    Raises:
        TryLater: it may be on its way to n8n at this moment.
        UpstreamError: n8n cannot be asked, or did not stop it; the task is delivered again.
    """
    found = await platform.store.get(refs.execution(process_instance_id, execution_id))
    if found is None:
        return "there is no such run"
    run = found.value
    if run.status is ExecutionStatus.PENDING:
        if deliveries < _PATIENCE:
            raise TryLater("The execution is not cancelled yet.")
        return "not cancelled"
    if not was_cancelled(run):
        return "ended by itself"
    if run.dispatch is DispatchState.QUEUED:
        return "never sent"
    return await _stop_in_n8n(platform, run)


async def _stop_in_n8n(platform: Platform, run: Execution) -> str:
    client = await n8n_client(platform, run.backend_id)
    seen = await client.find_execution_of(run.n8n_workflow_id, run.execution_id, run.created_at)
    if seen is None:
        if _may_still_arrive(platform, run):
            raise TryLater("The execution may be on its way to n8n.")
        return "n8n has no trace of it"
    if seen.status.over:
        return "over in n8n"
    try:
        await client.stop_execution(seen.id)
    except N8nRefused as error:
        # It ended while it was being stopped, or somebody deleted it.
        if error.n8n_status == 404 or (await client.get_execution(seen.id, include_data=False)).status.over:
            return "over in n8n"
        raise
    return "stopped"


def _may_still_arrive(platform: Platform, run: Execution) -> bool:
    if run.started_at is None or run.dispatch is not DispatchState.SENDING:
        return False
    latest = run.started_at + platform.settings.dispatch_accept_after + _MAY_ARRIVE
    return platform.sources.now() < latest
