"""The figures of a run's way, as fields of the log line of the request that learns of them (decision 0029).

``queueAgeSeconds``: how long a run had waited when its task was delivered.
``dispatchLatencySeconds``: from its trigger until n8n had it.
``runsEnded``: the runs a request ended, with whose they are and how they ended.

They cost no call: what they are made of was read anyway.
"""

from __future__ import annotations

from datetime import datetime

from shared.model.execution import DispatchState, Execution, ExecutionStatus
from shared.telemetry.current import note


def note_waiting(run: Execution, now: datetime) -> None:
    """Say how old a run is that is about to be sent."""
    if run.dispatch is DispatchState.QUEUED:
        note(queueAgeSeconds=_seconds(run, now))


def note_sent(run: Execution, now: datetime) -> None:
    """Say how long it took until n8n had a run."""
    note(dispatchLatencySeconds=_seconds(run, now))


def note_end(run: Execution, status: ExecutionStatus) -> None:
    """Say which run ended, and how."""
    ended = {
        "executionId": run.execution_id,
        "organizationId": run.organization_id,
        "processInstanceId": run.process_instance_id,
        "workflowId": run.workflow_id,
        "status": status.value,
    }
    note(runsEnded=[ended])


def _seconds(run: Execution, now: datetime) -> float:
    return round(max(0.0, (now - run.created_at).total_seconds()), 3)
