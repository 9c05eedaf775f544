"""n8n's own record of a run, with its sub-workflow runs on request (platform §15.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from shared.errors import Conflict, NotFound
from shared.executions.trace import Trace, trace_of
from shared.model.apikey import ApiKey
from shared.model.execution import Execution
from shared.n8n.redaction import redact
from shared.n8n.sources import without_sources
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.services.runs.status import accessible_run
from shared.services.runs.sub_runs import SubRuns, fetch_record
from shared.store import refs
from shared.store.store import Found

_SLIM = ("pairedItem", "workflowData")


@dataclass(frozen=True, slots=True)
class Details:
    """A run, n8n's record of it, and, if that was asked for with its sub-workflows, where all that failed."""

    run: Execution
    recorded: JsonValue
    trace: Trace | None


async def details(
    platform: Platform,
    key: ApiKey,
    process_instance_id: str,
    execution_id: str,
    found: Found[Execution] | None,
    *,
    deep: bool,
    slim: bool,
) -> Details:
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
    found_in_n8n = await fetch_record(client, run.n8n_execution_id)
    # The id is what a workflow reported. Other tenants' runs are in the same n8n.
    if found_in_n8n is None or found_in_n8n.workflow_id != run.n8n_workflow_id:
        raise NotFound("n8n no longer keeps this execution.", code="N8N_EXECUTION_NOT_FOUND")
    recorded = cast("JsonValue", found_in_n8n.document)
    if deep:
        await SubRuns(platform, client, run, {run.n8n_execution_id}).attach(recorded)
    trace = trace_of(recorded) if deep else None
    cleaned = cast("JsonValue", redact(recorded))
    if await _is_of_another(platform, run):
        cleaned = without_sources(cleaned)
    return Details(run, _without(cleaned, _SLIM) if slim else cleaned, trace)


async def _is_of_another(platform: Platform, run: Execution) -> bool:
    """Return whether the process was published by another organization than the one that runs it."""
    process = await platform.store.get(refs.process(run.process_id))
    return process is not None and process.value.organization_id != run.organization_id


def _without(value: JsonValue, names: tuple[str, ...]) -> JsonValue:
    if isinstance(value, dict):
        return {k: _without(v, names) for k, v in value.items() if k not in names}
    if isinstance(value, list):
        return [_without(inner, names) for inner in value]
    return value
