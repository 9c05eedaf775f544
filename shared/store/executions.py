"""Queries over runs. Every one is bound to one installation's own subcollection."""

from __future__ import annotations

from datetime import datetime

from shared.model.execution import Execution, ExecutionStatus, PendingRun
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Store


class Executions:
    """The runs of one process instance."""

    def __init__(self, store: Store, process_instance_id: str) -> None:
        self._store = store
        owner = refs.instance(process_instance_id)
        self._runs = below(owner, "executions", Execution)
        self._pending = below(owner, "executions", PendingRun)

    async def oldest_pending(self, workflow_id: str, since: datetime, limit: int = 2) -> list[Execution]:
        """Return the oldest runs of a workflow that still wait for an outcome."""
        query = (
            self._runs.where("workflow_id", "==", workflow_id)
            .where("status", "==", ExecutionStatus.PENDING.value)
            .where("created_at", ">=", since)
            .oldest_first("created_at")
            .at_most(limit)
        )
        return [found.value for found in await find(self._store, query)]

    async def pending(self, limit: int = 5000) -> list[PendingRun]:
        """Return the runs of all workflows that still wait for an outcome, without what they carry."""
        waiting = self._pending.where("status", "==", ExecutionStatus.PENDING.value)
        query = waiting.fields_only().at_most(limit)
        return [found.value for found in await find(self._store, query)]

    async def by_n8n_execution(self, n8n_execution_id: str) -> Execution | None:
        """Return the run linked to an execution of n8n, if there is one."""
        query = self._runs.where("n8n_execution_id", "==", n8n_execution_id).at_most(1)
        found = await find(self._store, query)
        return found[0].value if found else None
