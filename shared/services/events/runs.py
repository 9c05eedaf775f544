"""The event of a run's end."""

from __future__ import annotations

from shared.model.account import Account
from shared.model.document import iso
from shared.model.events import EventType
from shared.model.execution import Execution, ExecutionStatus
from shared.services.events.announce import Announcement, announced
from shared.services.platform import Platform
from shared.store import refs

_TYPES = {
    ExecutionStatus.SUCCESS: EventType.EXECUTION_COMPLETED,
    ExecutionStatus.FAILED: EventType.EXECUTION_FAILED,
}
_SHOWN = ("type", "message", "code", "failedNodeName")
"""What is told of an error: nothing of where in the code it happened."""


def ended_run(platform: Platform, run: Execution, account: Account | None) -> Announcement | None:
    """Return the announcement of a run that ended, if anybody listens to that."""
    type_ = _TYPES.get(run.status)
    if type_ is None or account is None or type_.value not in account.subscriptions:
        return None
    data: dict[str, object] = {
        "executionId": run.execution_id,
        "processInstanceId": run.process_instance_id,
        "processId": run.process_id,
        "workflowId": run.workflow_id,
        "version": run.template_version,
        "environment": run.environment.value,
        "triggerType": run.trigger_type,
        "status": run.status.value,
        "createdAt": iso(run.created_at),
        "duration": run.duration,
    }
    if run.error_details:
        data["error"] = {name: run.error_details[name] for name in _SHOWN if run.error_details.get(name)}
    return announced(platform, run.organization_id, type_, run.execution_id, data)


async def tell_again(platform: Platform, run: Execution) -> None:
    """Book the telling of a run's end once more, if somebody is to be told of it.

    For who finds that a run has ended and nobody else looks after it: the process that ended it may have died
    before it booked the task. Told twice, it is delivered once.
    """
    account = await platform.store.get(refs.account(run.organization_id))
    told = ended_run(platform, run, account.value if account else None)
    if told is not None and await platform.store.get(refs.event(run.organization_id, told.event.event_id)):
        await platform.queue.create(told.task)
