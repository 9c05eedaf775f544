"""Queries over runs. Every one is bound to one installation's own subcollection."""

from __future__ import annotations

from datetime import datetime

from google.cloud.firestore_v1.base_query import FieldFilter

from shared.model.document import camel
from shared.model.execution import Execution, ExecutionStatus, PendingRun
from shared.store.counts import count
from shared.store.reading import read
from shared.store.store import Store


class Executions:
    """The runs of one process instance."""

    def __init__(self, store: Store, process_instance_id: str) -> None:
        self._collection = store.client.collection(f"processInstances/{process_instance_id}/executions")

    async def oldest_pending(self, workflow_id: str, since: datetime, limit: int = 2) -> list[Execution]:
        """Return the oldest runs of a workflow that still wait for an outcome."""
        query = (
            self._collection.where(filter=FieldFilter("workflowId", "==", workflow_id))
            .where(filter=FieldFilter("status", "==", ExecutionStatus.PENDING.value))
            .where(filter=FieldFilter("createdAt", ">=", since))
            .order_by("createdAt")
            .limit(limit)
        )
        runs = [read(Execution, s.reference.path, s.to_dict()) async for s in query.stream()]
        count(queries=1, round_trips=1, reads=len(runs))
        return runs

    async def pending(self, limit: int = 5000) -> list[PendingRun]:
        """Return the runs of all workflows that still wait for an outcome, without what they carry."""
        query = (
            self._collection.where(filter=FieldFilter("status", "==", ExecutionStatus.PENDING.value))
            .select([camel(name) for name in PendingRun.model_fields])
            .limit(limit)
        )
        runs = [read(PendingRun, s.reference.path, s.to_dict()) async for s in query.stream()]
        count(queries=1, round_trips=1, reads=len(runs))
        return runs

    async def by_n8n_execution(self, n8n_execution_id: str) -> Execution | None:
        """Return the run linked to an execution of n8n, if there is one."""
        query = self._collection.where(filter=FieldFilter("n8nExecutionId", "==", n8n_execution_id)).limit(1)
        runs = [read(Execution, s.reference.path, s.to_dict()) async for s in query.stream()]
        count(queries=1, round_trips=1, reads=len(runs))
        return runs[0] if runs else None
