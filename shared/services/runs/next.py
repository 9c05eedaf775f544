"""Let the next run of an endpoint in when one has ended (decision 0025)."""

from __future__ import annotations

import logging

from shared.model.execution import Execution
from shared.services.platform import Platform
from shared.services.runs.order import DispatchOrder, book_again
from shared.store import refs
from shared.store.executions import Executions

log = logging.getLogger(__name__)


async def bring_next(platform: Platform, ended: Execution) -> None:
    """Bring back the run that waits longest for the place of one that has ended, if its place was limited.

    Only a hint: every run that waits has a task of its own that brings it back in the end. So nothing that
    goes wrong here concerns the run that ended.
    """
    if ended.max_running is None:
        return
    try:
        await _bring(platform, ended.process_instance_id, ended.workflow_id, ended.max_running)
    except Exception as error:  # noqa: BLE001 - the outcome is written, and is not to be reported again
        log.warning("the next run of %s was not brought: %s", ended.workflow_id, type(error).__name__)


async def _bring(platform: Platform, instance_id: str, workflow_id: str, max_running: int) -> None:
    runs = Executions(platform.store, instance_id)
    execution_id = await runs.first_queued(workflow_id, max_running)
    found = await platform.store.get(refs.endpoint(instance_id, workflow_id)) if execution_id else None
    if execution_id is None or found is None or found.value.target is None:
        return
    endpoint, target = found.value, found.value.target
    order = DispatchOrder(
        process_instance_id=instance_id,
        execution_id=execution_id,
        organization_id=endpoint.organization_id,
        process_id=endpoint.process_id,
        workflow_id=workflow_id,
        user_id=endpoint.user_id,
        url=target.url,
        method=target.method,
        webhook_secret=endpoint.webhook_secret,
        hint=True,
    )
    await book_again(platform, order)
