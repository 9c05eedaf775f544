"""Which runs something is done to, and how many they are (decision 0028)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.errors import InvalidRequest
from shared.model.execution import ExecutionStatus, ListedRun
from shared.model.execution_job import ExecutionJob, JobAction, Selection
from shared.services.platform import Platform
from shared.services.runs.filters import Filters
from shared.store import refs
from shared.store.executions import Executions
from shared.store.query import DOCUMENT_NAME, Query, below, find, tally

MOST_RUNS = 10_000
MOST_NAMED = 500
PAGE = 50


def checked(action: JobAction, selection: Selection) -> Selection:
    """Return a selection with what an action implies: what waits can be cancelled, what failed run again.

    Raises:
        InvalidRequest: it makes no sense for the action, or names runs and has conditions.
    """
    conditions = selection.model_dump(exclude={"execution_ids"}, exclude_none=True)
    if selection.execution_ids is not None:
        if conditions:
            raise InvalidRequest(
                "executionIds stand alone: leave out the other conditions.", field="executionIds"
            )
        if not 1 <= len(selection.execution_ids) <= MOST_NAMED:
            raise InvalidRequest(f"Name 1 to {MOST_NAMED} executions.", field="executionIds")
        unique = list(dict.fromkeys(selection.execution_ids))
        return selection.model_copy(update={"execution_ids": unique})
    is_cancelling = action is JobAction.CANCEL
    status = selection.status or (ExecutionStatus.PENDING if is_cancelling else ExecutionStatus.FAILED)
    if is_cancelling is not (status is ExecutionStatus.PENDING):
        raise InvalidRequest(
            "Only pending executions can be cancelled, and only ended ones run again.", field="status"
        )
    return selection.model_copy(update={"status": status})


async def count(platform: Platform, process_instance_id: str, selection: Selection) -> int:
    """Return how many runs are selected.

    Raises:
        InvalidRequest (``TOO_MANY_EXECUTIONS``): more than one job may have.
    """
    if selection.execution_ids is not None:
        return await Executions(platform.store, process_instance_id).present(selection.execution_ids)
    fitting = _fitting(process_instance_id, selection).newest_first("created_at")
    total = await tally(platform.store, fitting.at_most(MOST_RUNS + 1))
    if total > MOST_RUNS:
        raise InvalidRequest(
            f"More than {MOST_RUNS} executions fit. Narrow them down, for example with since and until.",
            code="TOO_MANY_EXECUTIONS",
        )
    return total


@dataclass(frozen=True, slots=True)
class Selected:
    """A run on a page; ``created_at`` is absent for one that was named."""

    execution_id: str
    created_at: datetime | None = None


async def page_of(platform: Platform, job: ExecutionJob) -> list[Selected]:
    """Return the runs on the page a job has come to; none: it is complete."""
    selection = job.selection
    if selection.execution_ids is not None:
        return [Selected(one) for one in selection.execution_ids[job.page * PAGE : (job.page + 1) * PAGE]]
    query = _fitting(job.process_instance_id, selection)
    query = query.newest_first("created_at").newest_first(DOCUMENT_NAME)
    if job.last_created_at is not None and job.last_execution_id is not None:
        last = refs.execution(job.process_instance_id, job.last_execution_id)
        query = query.after(job.last_created_at, last)
    runs = [found.value for found in await find(platform.store, query.at_most(PAGE))]
    return [Selected(run.execution_id, run.created_at) for run in runs]


def _fitting(process_instance_id: str, selection: Selection) -> Query[ListedRun]:
    filters = Filters(
        workflow_id=selection.workflow_id,
        status=selection.status,
        error_type=selection.error_type,
        error_code=selection.error_code,
        since=selection.since,
        until=selection.until,
    )
    return filters.applied(below(refs.instance(process_instance_id), "executions", ListedRun).fields_only())
