"""Earlier runs of an installation, written past the API: a hundred thousand real ones would take hours."""

from __future__ import annotations

from datetime import timedelta

from bench.installed import Installed
from bench.load import each
from bench.use_case import WORKFLOW
from shared.model.execution import DispatchState, Execution, ExecutionStatus
from shared.store import refs
from shared.store.store import Create

_BATCH = 500


async def add_runs(installed: Installed, count: int) -> None:
    """Give the installation ``count`` more successful runs, a second apart."""
    pattern = await _pattern(installed)
    batches = [range(first, min(first + _BATCH, count)) for first in range(0, count, _BATCH)]

    async def write(numbers: range) -> None:
        await installed.session.platform.store.commit(*(_run(installed, pattern, n) for n in numbers))

    await each(batches, 2, write)


async def _pattern(installed: Installed) -> Execution:
    session = installed.session
    found = await session.platform.store.get(refs.endpoint(installed.instance_id, WORKFLOW))
    assert found is not None
    endpoint = found.value
    return Execution(
        execution_id="",
        organization_id=endpoint.organization_id,
        process_id=endpoint.process_id,
        process_instance_id=endpoint.process_instance_id,
        deployment_instance_id=endpoint.deployment_instance_id,
        template_version=endpoint.version,
        environment=endpoint.environment,
        workflow_id=endpoint.workflow_id,
        trigger_id=next(iter(endpoint.trigger_ids.values())),
        trigger_type="http",
        n8n_workflow_id=endpoint.n8n_workflow_id,
        backend_id=endpoint.backend_id,
        status=ExecutionStatus.SUCCESS,
        dispatch=DispatchState.SENDING,
        created_at=session.platform.sources.now(),
        duration=40,
        cost=endpoint.cost,
        trigger_data='{"customer":"Ada Lovelace"}',
        result_data='{"customer":"Ada Lovelace"}',
        user_id=endpoint.user_id,
        shared_with=endpoint.shared_with,
    )


def _run(installed: Installed, pattern: Execution, number: int) -> Create[Execution]:
    began = pattern.created_at - timedelta(seconds=number + 1)
    execution_id = installed.session.platform.sources.uuid7()
    run = pattern.model_copy(
        update={
            "execution_id": execution_id,
            "created_at": began,
            "started_at": began,
            "completed_at": began + timedelta(milliseconds=40),
            "n8n_execution_id": f"earlier-{number}",
        }
    )
    return Create(refs.execution(installed.instance_id, execution_id), run)
