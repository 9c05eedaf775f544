"""n8n's own record of a run, with its sub-workflow runs on request (platform §15.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from pydantic import JsonValue

from shared.errors import Conflict, NotFound
from shared.model.apikey import ApiKey
from shared.model.execution import Execution
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.n8n.executions import N8nExecution
from shared.n8n.redaction import redact
from shared.n8n.sources import without_sources
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.services.runs.status import accessible_run
from shared.store import refs
from shared.store.store import Found

MAX_DEPTH = 5
MAX_EXECUTIONS = 50
_SLIM = ("pairedItem", "workflowData")


async def details(
    platform: Platform,
    key: ApiKey,
    process_instance_id: str,
    execution_id: str,
    found: Found[Execution] | None,
    *,
    deep: bool,
    slim: bool,
) -> tuple[Execution, JsonValue]:
    """Return a run and n8n's record of it, secrets removed.

    ``deep`` attaches the runs of sub-workflows as ``_subExecutions`` to the node run that started
    them, at most 5 levels and 50 runs. ``slim`` drops ``pairedItem`` and ``workflowData`` everywhere. What
    was installed from another organization does not show its workflows (decision 0017).

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``, ``EXECUTION_NOT_FOUND``, ``N8N_EXECUTION_NOT_FOUND``), Forbidden,
        Conflict (``N8N_EXECUTION_ID_NOT_AVAILABLE``), UpstreamError.
    """
    run = (await accessible_run(platform, key, process_instance_id, execution_id, found)).value
    if run.n8n_execution_id is None:
        raise Conflict(
            "The n8n execution id is not available: the run has not reported yet.",
            code="N8N_EXECUTION_ID_NOT_AVAILABLE",
        )
    client = await n8n_client(platform, run.backend_id)
    found_in_n8n = await _fetch(client, run.n8n_execution_id)
    # The id is what a workflow reported. Other tenants' runs are in the same n8n.
    if found_in_n8n is None or found_in_n8n.workflow_id != run.n8n_workflow_id:
        raise NotFound("n8n no longer keeps this execution.", code="N8N_EXECUTION_NOT_FOUND")
    recorded = cast("JsonValue", found_in_n8n.document)
    if deep:
        await _SubRuns(platform, client, run, {run.n8n_execution_id}).attach(recorded)
    cleaned = cast("JsonValue", redact(recorded))
    if await _is_of_another(platform, run):
        cleaned = without_sources(cleaned)
    return run, (_without(cleaned, _SLIM) if slim else cleaned)


async def _is_of_another(platform: Platform, run: Execution) -> bool:
    """Return whether the process was published by another organization than the one that runs it."""
    process = await platform.store.get(refs.process(run.process_id))
    return process is not None and process.value.organization_id != run.organization_id


async def _fetch(client: N8nClient, n8n_execution_id: str) -> N8nExecution | None:
    try:
        return await client.get_execution(n8n_execution_id)
    except N8nRefused as error:
        if error.n8n_status != 404:
            raise
        return None


@dataclass(slots=True)
class _SubRuns:
    """Attaches the runs of sub-workflows to the node runs that started them.

    Run data names them, and authors can write into run data: only runs of the installation's own
    workflows are attached.
    """

    platform: Platform
    client: N8nClient
    run: Execution
    seen: set[str]
    own: dict[str, bool] = field(default_factory=dict)

    async def attach(self, recorded: JsonValue, depth: int = 1) -> None:
        """Attach what a recorded run started, and what that started in turn."""
        if depth > MAX_DEPTH:
            return
        for node_run in _node_runs(recorded):
            children: list[JsonValue] = []
            for child_id in _children_of(node_run):
                if child_id in self.seen or len(self.seen) >= MAX_EXECUTIONS:
                    continue
                self.seen.add(child_id)
                child = await _fetch(self.client, child_id)
                if child is not None and await self._is_own(child.workflow_id):
                    document = cast("JsonValue", child.document)
                    await self.attach(document, depth + 1)
                    children.append(document)
            if children:
                node_run["_subExecutions"] = children

    async def _is_own(self, n8n_workflow_id: str) -> bool:
        if n8n_workflow_id not in self.own:
            owner = await self.platform.store.get(
                refs.n8n_workflow(self.run.organization_id, n8n_workflow_id)
            )
            instance = self.run.process_instance_id
            self.own[n8n_workflow_id] = owner is not None and owner.value.process_instance_id == instance
        return self.own[n8n_workflow_id]


def _node_runs(recorded: JsonValue) -> list[dict[str, JsonValue]]:
    at: JsonValue = recorded
    for name in ("data", "resultData", "runData"):
        at = at.get(name) if isinstance(at, dict) else None
    by_node = at if isinstance(at, dict) else {}
    return [
        run for runs in by_node.values() if isinstance(runs, list) for run in runs if isinstance(run, dict)
    ]


def _children_of(node_run: dict[str, JsonValue]) -> list[str]:
    found: list[str] = []

    def walk(value: JsonValue) -> None:
        if isinstance(value, dict):
            sub = value.get("subExecution")
            if isinstance(sub, dict) and isinstance(sub.get("executionId"), str):
                found.append(str(sub["executionId"]))
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(node_run.get("metadata"))
    walk(node_run.get("data"))
    return list(dict.fromkeys(found))


def _without(value: JsonValue, names: tuple[str, ...]) -> JsonValue:
    if isinstance(value, dict):
        return {k: _without(v, names) for k, v in value.items() if k not in names}
    if isinstance(value, list):
        return [_without(inner, names) for inner in value]
    return value
