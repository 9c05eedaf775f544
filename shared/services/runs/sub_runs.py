"""The runs of sub-workflows in n8n, fetched level by level, attached to the node runs that started them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from pydantic import JsonValue

from shared.executions.records import children_of, node_runs
from shared.model.execution import Execution
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.n8n.executions import N8nExecution
from shared.services.platform import Platform
from shared.store import refs

MAX_DEPTH = 5
MAX_EXECUTIONS = 50

_AT_ONCE = 8
"""Records of runs can be megabytes, and n8n has other things to do."""


async def fetch_record(client: N8nClient, n8n_execution_id: str) -> N8nExecution | None:
    """Return n8n's record of a run, if n8n has it.

    Raises:
        UpstreamError: n8n cannot be asked.
    """
    try:
        return await client.get_execution(n8n_execution_id)
    except N8nRefused as error:
        if error.n8n_status != 404:
            raise
        return None


@dataclass(slots=True)
class SubRuns:
    """Attaches the runs of sub-workflows as ``_subExecutions`` to the node runs that started them.

    Run data names them, and authors can write into run data: only runs of the installation's own
    workflows are attached. At most 5 levels and 50 runs in all, no run twice; those of a level are fetched
    eight at a time.
    """

    platform: Platform
    client: N8nClient
    run: Execution
    seen: set[str]
    own: dict[str, bool] = field(default_factory=dict)

    async def attach(self, recorded: JsonValue) -> None:
        """Attach what a recorded run started, and what that started in turn."""
        level = [recorded]
        for _ in range(MAX_DEPTH):
            started = [(run, self._unseen(run)) for document in level for run in node_runs(document)]
            fetched = await self._fetch(child for _, children in started for child in children)
            level = []
            for node_run, children in started:
                documents = [fetched[child] for child in children if child in fetched]
                if documents:
                    node_run["_subExecutions"] = documents
                    level += documents
            if not level:
                return

    def _unseen(self, node_run: dict[str, JsonValue]) -> list[str]:
        chosen = []
        for child in children_of(node_run):
            if child not in self.seen and len(self.seen) < MAX_EXECUTIONS:
                self.seen.add(child)
                chosen.append(child)
        return chosen

    async def _fetch(self, ids: Iterable[str]) -> dict[str, JsonValue]:
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(n8n_id: str) -> N8nExecution | None:
            async with turns:
                return await fetch_record(self.client, n8n_id)

        wanted = list(ids)
        found = await asyncio.gather(*(one(n8n_id) for n8n_id in wanted))
        await self._learn_owners({record.workflow_id for record in found if record is not None})
        return {
            n8n_id: cast("JsonValue", record.document)
            for n8n_id, record in zip(wanted, found, strict=True)
            if record is not None and self.own[record.workflow_id]
        }

    async def _learn_owners(self, n8n_workflow_ids: set[str]) -> None:
        unknown = sorted(n8n_workflow_ids - self.own.keys())
        if not unknown:
            return
        owners = await self.platform.store.fetch(
            *(refs.n8n_workflow(self.run.organization_id, n8n_id) for n8n_id in unknown)
        )
        instance = self.run.process_instance_id
        for n8n_id, owner in zip(unknown, owners, strict=True):
            self.own[n8n_id] = owner is not None and owner.value.process_instance_id == instance
