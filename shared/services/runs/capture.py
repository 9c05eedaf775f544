"""Take what n8n's error workflow reports, and find the run it belongs to (nodes §8).

The first way that leads to a run wins: n8n's execution id, the id in n8n's record of its execution,
and, where n8n has no such record, the oldest run it was given; else the failure becomes a failed run of
its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

from shared.errors import Conflict, Unauthorized
from shared.executions.classification import classify_execution, classify_report
from shared.executions.details import ErrorDetails, withheld
from shared.model.deployment import N8nWorkflowOwner
from shared.model.execution import Correlation, DispatchState, Execution, ExecutionStatus
from shared.model.organization import Organization
from shared.n8n.executions import N8nExecution
from shared.services.platform import Platform
from shared.services.runs.error_report import ErrorReport, derived_id, n8n_execution_of, remembered, repeated
from shared.services.runs.finish import finish
from shared.services.runs.ingestion_failures import note_ingestion_failure
from shared.services.runs.queues import forget
from shared.services.runs.retention import kept_until_by
from shared.services.runs.trigger import new_execution
from shared.services.runs.trigger_errors import record_trigger_error
from shared.store import refs
from shared.store.errors import AlreadyExists
from shared.store.executions import Executions
from shared.store.store import Create, Found, Patch

_LOOK_BACK = timedelta(hours=24)
_LOOK_AT = 20
"""Runs that wait; those that n8n was not given yet may be older than those it has."""


@dataclass(frozen=True, slots=True)
class Captured:
    """The run the failure was written to, if any; ``matched`` tells whether it existed before."""

    execution_id: str | None
    matched: bool


@dataclass(frozen=True, slots=True)
class _Match:
    execution: Execution
    correlation: Correlation


async def capture(platform: Platform, report: ErrorReport, presented_secret: str) -> Captured:
    """Fail the run that an n8n failure belongs to. Repeats are harmless.

    Raises:
        Unauthorized (``INVALID_SECRET``): the header is not the organization's.
    """
    organization, owner = await platform.store.fetch(
        refs.organization(report.organization_id),
        refs.n8n_workflow(report.organization_id, report.n8n_workflow_id),
    )
    _authenticate(organization.value if organization else None, presented_secret)
    if owner is None:
        await note_ingestion_failure(platform, organization.value, report)
        return Captured(None, matched=False)
    if "trigger" in report.raw:
        execution_id = await record_trigger_error(platform, owner.value, classify_report(report.raw))
        return Captured(execution_id, matched=False)
    full = await n8n_execution_of(platform, organization.value.backend_id, report)
    details = classify_execution(full.document) if full else classify_report(report.raw)
    if (before := repeated(owner.value, report, platform.sources.now())) is not None:
        return Captured(before.execution_id, before.matched)
    match = await _find(platform, owner.value, report, full)
    if match is None:
        execution_id = await _record_unknown(platform, owner, report, details)
        return Captured(execution_id, matched=False)
    await _fail(platform, match, owner, report, details)
    return Captured(match.execution.execution_id, matched=True)


def _authenticate(organization: Organization | None, presented: str) -> None:
    auth = organization.webhook_auth if organization else None
    expected = auth.secret_digest if auth else "0" * 64
    digest = hashlib.sha256(presented.encode()).hexdigest()
    if not hmac.compare_digest(digest, expected):
        raise Unauthorized("The webhook secret is not the organization's.", code="INVALID_SECRET")


async def _find(
    platform: Platform, owner: N8nWorkflowOwner, report: ErrorReport, full: N8nExecution | None
) -> _Match | None:
    runs = Executions(platform.store, owner.process_instance_id)
    if report.n8n_execution_id and (run := await runs.by_n8n_execution(report.n8n_execution_id)):
        return _Match(run, Correlation.EXECUTION_ID)
    if full is not None and full.platform_execution_id is not None:
        reference = refs.execution(owner.process_instance_id, full.platform_execution_id)
        found = await platform.store.get(reference)
        if found is not None and found.value.workflow_id == owner.workflow_id:
            return _Match(found.value, Correlation.CUSTOM_DATA)
    if full is not None and full.document.get("data"):
        # It is sure that no run of ours failed: a guess would fail one that goes on.
        return None
    since = platform.sources.now() - _LOOK_BACK
    pending = await runs.oldest_pending(owner.workflow_id, since, _LOOK_AT)
    started = [run for run in pending if run.dispatch is not DispatchState.QUEUED]
    return _Match(started[0], Correlation.GUESS) if started else None


async def _fail(
    platform: Platform,
    match: _Match,
    owner: Found[N8nWorkflowOwner],
    report: ErrorReport,
    details: ErrorDetails,
) -> None:
    run = match.execution
    found = await platform.store.get(refs.execution(run.process_instance_id, run.execution_id))
    if found is None:
        return
    if found.value.status is not ExecutionStatus.PENDING:
        await _note(platform, found, details)
        return
    details = withheld(details, of_another=run.of_another)
    outcome: dict[str, object] = {
        "status": ExecutionStatus.FAILED,
        "error_details": details.fields(),
        "duration": int((platform.sources.now() - run.created_at).total_seconds() * 1000),
        "correlation": match.correlation,
    }
    if report.n8n_execution_id:
        outcome["n8n_execution_id"] = report.n8n_execution_id
    ids = run.process_instance_id, run.execution_id, run.organization_id
    also = remembered(owner.ref, report, run.execution_id, matched=True, now=platform.sources.now())
    try:
        ended = await finish(platform, *ids, outcome, also)
    except Conflict:
        await _note(platform, found, details)
        return
    if ended:
        await forget(platform.queue, run.execution_id)


async def _note(platform: Platform, found: Found[Execution], details: ErrorDetails) -> None:
    """Keep a failure beside the outcome of a run that ended before."""
    run = found.value
    details = withheld(details, of_another=run.of_another)
    if details.message not in (*run.notes, (run.error_details or {}).get("message")):
        await platform.store.commit(Patch(found.ref, {"notes": [*run.notes, details.message][-10:]}))


async def _record_unknown(
    platform: Platform, found: Found[N8nWorkflowOwner], report: ErrorReport, details: ErrorDetails
) -> str | None:
    owner = found.value
    endpoint = await platform.store.get(refs.endpoint(owner.process_instance_id, owner.workflow_id))
    if endpoint is None:
        return None
    trigger_id = next(iter(endpoint.value.trigger_ids.values()), "")
    run = new_execution(platform, endpoint.value, trigger_id=trigger_id, trigger_type=owner.trigger_type)
    run.status = ExecutionStatus.FAILED
    run.dispatch = DispatchState.ACCEPTED
    run.correlation = Correlation.NONE
    run.error_details = withheld(details, of_another=run.of_another).fields()
    run.n8n_execution_id = report.n8n_execution_id
    run.completed_at = run.created_at
    run.expire_at = await kept_until_by(platform, run)
    run.duration = 0
    if report.n8n_execution_id:
        # A repeated report must not become a second run: the id follows from n8n's.
        run.execution_id = derived_id(owner, report.n8n_execution_id)
    also = remembered(found.ref, report, run.execution_id, matched=False, now=run.created_at)
    with contextlib.suppress(AlreadyExists):
        reference = refs.execution(run.process_instance_id, run.execution_id)
        await platform.store.commit(Create(reference, run), *also)
    return run.execution_id
