"""Queries over runs. Every one is bound to one installation's own subcollection."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from shared.model.execution import DispatchState, Execution, ExecutionStatus, PendingRun
from shared.store import refs
from shared.store.counts import count
from shared.store.query import Query, below, find, tally
from shared.store.store import Store

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Executions:
    """The runs of one process instance."""

    def __init__(self, store: Store, process_instance_id: str) -> None:
        self._store = store
        self._instance_id = process_instance_id
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

    async def count_running(self, workflow_id: str) -> int:
        """Return how many runs of a workflow were sent to n8n, or are just being sent, and have not ended."""
        # Whoever gives a run back takes its start away; what has none is not greater than any moment.
        return await tally(self._store, self._pending_of(workflow_id).where("started_at", ">", _LONG_AGO))

    async def count_begun(self, workflow_id: str, since: datetime) -> int:
        """Return how many runs of a workflow were sent to n8n from a moment on, or began there."""
        of_workflow = self._runs.where("workflow_id", "==", workflow_id)
        # Every status there is: so one index serves this count and the one of runs that go on.
        whatever = of_workflow.where("status", "in", [status.value for status in ExecutionStatus])
        return await tally(self._store, whatever.where("started_at", ">=", since))

    async def count_pending_before(self, workflow_id: str, moment: datetime) -> int:
        """Return how many runs of a workflow that have not ended were triggered before a moment."""
        return await tally(self._store, self._pending_of(workflow_id).where("created_at", "<", moment))

    async def first_queued(self, workflow_id: str, running: int) -> str | None:
        """Return the id of the run that waits longest; ``running`` may be before it, and are passed over."""
        query = (
            self._pending.where("workflow_id", "==", workflow_id)
            .where("status", "==", ExecutionStatus.PENDING.value)
            .fields_only()
            .oldest_first("created_at")
            .at_most(running + 1)
        )
        pending = [found.value for found in await find(self._store, query)]
        return next((run.execution_id for run in pending if run.dispatch is DispatchState.QUEUED), None)

    def _pending_of(self, workflow_id: str) -> Query[Execution]:
        of_workflow = self._runs.where("workflow_id", "==", workflow_id)
        return of_workflow.where("status", "==", ExecutionStatus.PENDING.value)

    async def by_n8n_execution(self, n8n_execution_id: str) -> Execution | None:
        """Return the run linked to an execution of n8n, if there is one."""
        query = self._runs.where("n8n_execution_id", "==", n8n_execution_id).at_most(1)
        found = await find(self._store, query)
        return found[0].value if found else None

    async def present(self, execution_ids: Iterable[str]) -> int:
        """Return how many of these runs there are, without reading what they carry."""
        references = [
            self._store.client.document(refs.execution(self._instance_id, one).path) for one in execution_ids
        ]
        count(round_trips=1, reads=len(references))
        return sum(
            [1 async for snapshot in self._store.client.get_all(references, ["status"]) if snapshot.exists]
        )
