"""n8n's own record of a run, with its sub-workflow runs on request (platform §15.5)."""

from __future__ import annotations

from typing import cast

from pydantic import JsonValue

from shared.errors import Conflict, NotFound
from shared.model.apikey import ApiKey
from shared.model.execution import Execution
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.n8n.redaction import redact
from shared.services.access import require_instance_access
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
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
    them, at most 5 levels and 50 runs. ``slim`` drops ``pairedItem`` and ``workflowData`` everywhere.

    Raises:
        NotFound (``EXECUTION_NOT_FOUND``, ``N8N_EXECUTION_NOT_FOUND``), Forbidden, Conflict
        (``N8N_EXECUTION_ID_NOT_AVAILABLE``), UpstreamError.
    """
    if found is None:
        raise NotFound(f"Execution {execution_id} not found.", code="EXECUTION_NOT_FOUND")
    run = found.value
    await require_instance_access(platform, key, run.organization_id, process_instance_id, run)
    if run.n8n_execution_id is None:
        raise Conflict(
            "The n8n execution id is not available: the run has not reported yet.",
            code="N8N_EXECUTION_ID_NOT_AVAILABLE",
        )
    client = await n8n_client(platform, run.backend_id)
    recorded = await _fetch(client, run.n8n_execution_id)
    if deep:
        await _attach(client, recorded, {run.n8n_execution_id}, depth=1)
    cleaned = cast("JsonValue", redact(recorded))
    return run, (_without(cleaned, _SLIM) if slim else cleaned)


async def _fetch(client: N8nClient, n8n_execution_id: str) -> JsonValue:
    try:
        return cast("JsonValue", (await client.get_execution(n8n_execution_id)).document)
    except N8nRefused as error:
        if error.n8n_status != 404:
            raise
        raise NotFound("n8n no longer keeps this execution.", code="N8N_EXECUTION_NOT_FOUND") from None


async def _attach(client: N8nClient, recorded: JsonValue, seen: set[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        return
    for node_run in _node_runs(recorded):
        children: list[JsonValue] = []
        for child_id in _children_of(node_run):
            if child_id in seen or len(seen) >= MAX_EXECUTIONS:
                continue
            seen.add(child_id)
            child = await _child(client, child_id)
            if child is not None:
                await _attach(client, child, seen, depth + 1)
                children.append(child)
        if children:
            node_run["_subExecutions"] = children


async def _child(client: N8nClient, n8n_execution_id: str) -> JsonValue:
    try:
        return await _fetch(client, n8n_execution_id)
    except NotFound:
        return None


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
