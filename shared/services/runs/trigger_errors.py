"""Triggers that n8n could not run: no run exists that could tell of them, so the installation does.

The first of an hour also becomes a failed run, so that it is seen where failures are looked for.
"""

from __future__ import annotations

from contextlib import suppress

from shared.executions.details import ErrorDetails, withheld
from shared.model.deployment import N8nWorkflowOwner
from shared.model.execution import Correlation, DispatchState, ExecutionStatus
from shared.model.instance import ProcessInstance, TriggerError
from shared.services.platform import Platform
from shared.services.runs.error_report import derived_id
from shared.services.runs.retention import kept_until_by
from shared.services.runs.trigger import new_execution
from shared.store import refs
from shared.store.errors import AlreadyExists, Changed
from shared.store.store import Create, Found, Patch

_TRIES = 5


async def record_trigger_error(
    platform: Platform, owner: N8nWorkflowOwner, details: ErrorDetails
) -> str | None:
    """Tell of a trigger's failure on its installation; return the failed run that stands for this hour's."""
    endpoint = await platform.store.get(refs.endpoint(owner.process_instance_id, owner.workflow_id))
    if endpoint is None:
        return None
    kept = withheld(details, of_another=endpoint.value.of_another)
    await _tell(platform, owner, kept)
    now = platform.sources.now()
    trigger_id = next(iter(endpoint.value.trigger_ids.values()), "")
    run = new_execution(platform, endpoint.value, trigger_id=trigger_id, trigger_type=owner.trigger_type)
    run.execution_id = derived_id(owner, f"trigger/{owner.workflow_id}/{kept.message}/{now:%Y%m%d%H}")
    run.status = ExecutionStatus.FAILED
    run.dispatch = DispatchState.ACCEPTED
    run.correlation = Correlation.NONE
    run.error_details = kept.fields()
    run.completed_at = run.created_at
    run.expire_at = await kept_until_by(platform, run)
    run.duration = 0
    with suppress(AlreadyExists):
        await platform.store.commit(Create(refs.execution(run.process_instance_id, run.execution_id), run))
    return run.execution_id


async def end_trigger_error(platform: Platform, process_instance_id: str, workflow_id: str) -> None:
    """Forget the error of a workflow's trigger: it has just started a run."""
    for _ in range(_TRIES):
        found = await platform.store.get(refs.instance(process_instance_id))
        if found is None:
            return
        others = [one for one in found.value.trigger_errors if one.workflow_id != workflow_id]
        if await _write(platform, found, workflow_id, others, failed=False):
            return


async def _tell(platform: Platform, owner: N8nWorkflowOwner, details: ErrorDetails) -> None:
    now = platform.sources.now()
    for _ in range(_TRIES):
        found = await platform.store.get(refs.instance(owner.process_instance_id))
        if found is None:
            return
        told = {one.workflow_id: one for one in found.value.trigger_errors}
        before = told.get(owner.workflow_id)
        told[owner.workflow_id] = TriggerError(
            workflow_id=owner.workflow_id,
            message=details.message,
            code=details.code or "",
            first_at=before.first_at if before else now,
            last_at=now,
            count=before.count + 1 if before else 1,
        )
        if await _write(platform, found, owner.workflow_id, list(told.values()), failed=True):
            return


async def _write(
    platform: Platform,
    found: Found[ProcessInstance],
    workflow_id: str,
    errors: list[TriggerError],
    *,
    failed: bool,
) -> bool:
    """Write the errors of an installation; return whether nobody else wrote to it meanwhile."""
    endpoint = refs.endpoint(found.ref.path.rpartition("/")[2], workflow_id)
    try:
        await platform.store.commit(
            Patch(found.ref, {"trigger_errors": [one.fields() for one in errors]}, found.update_time),
            Patch(endpoint, {"trigger_failed": failed}),
        )
    except Changed:
        return False
    return True
