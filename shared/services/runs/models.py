"""Count what a run used of language models, after it ended and off every answer's path (platform §15.6)."""

from __future__ import annotations

from typing import cast

import orjson
from pydantic import JsonValue

from shared.errors import UpstreamError
from shared.executions.models.usage import usage_of
from shared.model.document import Document
from shared.model.execution import Execution, LlmTotals, LlmUsage
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.services.runs.queues import SUPERVISE
from shared.services.runs.sub_runs import SubRuns, fetch_record
from shared.store import refs
from shared.store.store import Patch
from shared.tasks.spec import TaskSpec

PATIENCE = 20
"""Deliveries after which a run that still goes on in n8n is counted no more; about a quarter of an hour."""

_MOST_ROWS = 200


class ModelsOrder(Document):
    """The body of the task."""

    process_instance_id: str
    execution_id: str


class StillRunning(UpstreamError):
    """n8n has not written the run down: workflows report before they end."""

    status = 503
    default_code = "TRY_LATER"


def models_task(run: Execution) -> TaskSpec | None:
    """Return the task that counts what a run used, if it may have used any and n8n knows it."""
    if not run.uses_language_models or run.n8n_execution_id is None:
        return None
    order = ModelsOrder(process_instance_id=run.process_instance_id, execution_id=run.execution_id)
    return TaskSpec(
        queue=SUPERVISE,
        path="/measurelanguagemodels",
        body=orjson.dumps(order.wire()),
        name=f"models-{run.execution_id}",
    )


async def measure(platform: Platform, order: ModelsOrder, deliveries: int) -> str:
    """Write down what a run used; return what was found, for the log. A repeat writes the same.

    Raises:
        StillRunning, UpstreamError: the task is delivered again.
    """
    found = await platform.store.get(refs.execution(order.process_instance_id, order.execution_id))
    if found is None or found.value.n8n_execution_id is None:
        return "nothing to count"
    run = found.value
    client = await n8n_client(platform, run.backend_id)
    record = await fetch_record(client, str(run.n8n_execution_id))
    used: list[LlmUsage] = []
    # The id is what a workflow reported. Other tenants' runs are in the same n8n.
    if record is not None and record.workflow_id == run.n8n_workflow_id:
        if not record.status.over and deliveries < PATIENCE:
            raise StillRunning("n8n has not ended the run yet.")
        recorded = cast("JsonValue", record.document)
        await SubRuns(platform, client, run, {record.id}).attach(recorded)
        used = usage_of(recorded, run.created_at.date())[:_MOST_ROWS]
    if not used and run.llm_cost_estimate is None:
        return "none"
    totals = _totals(used, run.llm_cost_estimate)
    changes = {"llm_usage": [one.fields() for one in used], "llm_totals": totals.fields()}
    await platform.store.commit(Patch(found.ref, changes))
    return f"{len(used)} models"


def _totals(used: list[LlmUsage], configured: float | None) -> LlmTotals:
    """Return the sums; without any usage, what the author says such a run costs."""
    if not used:
        return LlmTotals(estimated=True, configured_cost=configured)
    return LlmTotals(
        prompt_tokens=sum(one.prompt_tokens for one in used),
        completion_tokens=sum(one.completion_tokens for one in used),
        cost=sum(one.cost or 0 for one in used),
        estimated=any(one.estimated for one in used),
        unpriced=any(one.cost is None for one in used),
    )
