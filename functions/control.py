"""Control over runs: cancel, retry and replay them, one or many (decision 0028)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import AwareDatetime, JsonValue

from shared.errors import (
    Conflict,
    Forbidden,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InstanceInactive,
    InsufficientCredits,
    InvalidPayload,
    InvalidRequest,
    NotFound,
    Unauthorized,
    UpstreamError,
)
from shared.http.access import A, O, P, TaskCall, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.http.request_headers import IDEMPOTENCY_KEY
from shared.model.audit import AuditAction
from shared.model.document import Document, Timestamp
from shared.model.execution import ExecutionStatus
from shared.model.execution_job import ExecutionJob, JobAction, Selection
from shared.model.scopes import Scope
from shared.services.audit import audited
from shared.services.control.cancel import CANCELLED, cancel
from shared.services.control.job import accessible_job, cancel_job, count_or_begin
from shared.services.control.page import do_page
from shared.services.control.repeat import Repeat, RunOn, begin_again
from shared.services.control.stop import stop
from shared.services.runs.idempotency import Once, fingerprint_of
from shared.services.runs.status import accessible_run
from shared.services.runs.trigger import payload_of
from shared.store import refs
from shared.store.refs import Ref

_CALLERS = keys(O, P, A, scopes=(Scope.WORKFLOWS_TRIGGER,))
_READERS = keys(O, P, A, scopes=(Scope.WORKFLOWS_TRIGGER, Scope.EXECUTIONS_READ))
_REFUSALS = (InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict)
_REPEAT_REFUSALS = (
    *_REFUSALS,
    InvalidPayload,
    InsufficientCredits,
    InstanceInactive,
    IdempotencyInProgress,
    IdempotencyKeyReused,
)


def _execution_of(params: Mapping[str, str]) -> tuple[Ref[Any], ...]:
    return (refs.execution(params["processInstanceId"], params["executionId"]),)


class Nothing(Document):
    """An empty body."""


class Cancelled(Document):
    """A run that was cancelled, by this call or by one before."""

    execution_id: str
    status: str
    error_code: str


@endpoint(
    "POST",
    "cancelExecutionPublic",
    "processInstanceId",
    "executionId",
    access=_CALLERS,
    envelope=Envelope.DATA,
    request=Nothing,
    response=Cancelled,
    prefetch=_execution_of,
    errors=_REFUSALS,
)
async def cancel_execution_public(call: Call[Nothing]) -> Cancelled:
    """Cancel a run that has not ended.

    It ends at once as failed with the code `CANCELLED`. What waits is never sent to n8n; what runs there is
    stopped, and what it still reports is refused. Cancelling again changes nothing.
    """
    instance, execution_id = call.params["processInstanceId"], call.params["executionId"]
    (found,) = call.prefetched
    run = await accessible_run(call.platform, call.caller, instance, execution_id, found)
    await cancel(call.platform, run, call.caller)
    return Cancelled(execution_id=execution_id, status=ExecutionStatus.FAILED.value, error_code=CANCELLED)


class Repeated(Document):
    """A new run that repeats another."""

    execution_id: str
    retry_of: str | None = None
    replay_of: str | None = None


async def _repeat(call: Call[Any], how: Repeat) -> Repeated:
    instance, execution_id = call.params["processInstanceId"], call.params["executionId"]
    (found,) = call.prefetched
    run = (await accessible_run(call.platform, call.caller, instance, execution_id, found)).value
    workflow = await call.platform.store.get(refs.endpoint(instance, run.workflow_id))
    action = AuditAction.EXECUTION_RETRIED if how.is_retry else AuditAction.EXECUTION_REPLAYED
    entry = audited(
        call.platform,
        call.caller,
        action,
        run.organization_id,
        execution_id,
        version=how.run_on.value,
        payloadChanged=how.payload is not None,
    )
    started = await begin_again(call.platform, run, workflow, how, [entry], await _once(call, how))
    call.notes["executionId"] = started.execution_id
    if started.replayed:
        call.answer_headers["Idempotent-Replayed"] = "true"
    retry, replay = (execution_id, None) if how.is_retry else (None, execution_id)
    return Repeated(execution_id=started.execution_id, retry_of=retry, replay_of=replay)


async def _once(call: Call[Any], how: Repeat) -> Once | None:
    """Return where the call is remembered, if it has an Idempotency-Key."""
    key = call.headers.get(IDEMPOTENCY_KEY.name)
    if key is None or not call.key_digest:
        return None
    what = "retry" if how.is_retry else "replay"
    ref = refs.remembered_call(
        call.key_digest, what, call.params["processInstanceId"], call.params["executionId"], key
    )
    found = await call.platform.store.get(ref)
    return Once(ref, found, fingerprint_of([how.run_on.value, how.payload]))


@endpoint(
    "POST",
    "retryExecutionPublic",
    "processInstanceId",
    "executionId",
    access=_CALLERS,
    envelope=Envelope.DATA,
    request=Nothing,
    response=Repeated,
    prefetch=_execution_of,
    headers=(IDEMPOTENCY_KEY,),
    errors=_REPEAT_REFUSALS,
)
async def retry_execution_public(call: Call[Nothing]) -> Repeated:
    """Run an ended run again as it was: with what it was given, on the version it ran on.

    n8n runs only what is live: if another version is, the call is refused with `VERSION_NOT_LIVE`.
    """
    how = Repeat(run_on=RunOn.SAME, is_retry=True, caller_key_id=call.caller.key_id)
    return await _repeat(call, how)


class ReplayRequest(Document):
    """How a run is replayed. ``payload`` replaces what it was given."""

    version: RunOn = RunOn.NEWEST
    payload: JsonValue = None


@endpoint(
    "POST",
    "replayExecutionPublic",
    "processInstanceId",
    "executionId",
    access=_CALLERS,
    envelope=Envelope.DATA,
    request=ReplayRequest,
    response=Repeated,
    prefetch=_execution_of,
    headers=(IDEMPOTENCY_KEY,),
    errors=_REPEAT_REFUSALS,
)
async def replay_execution_public(call: Call[ReplayRequest]) -> Repeated:
    """Run an ended run again on the version that is live, and with another payload if one is sent."""
    body = call.body
    is_edited = "payload" in body.model_fields_set
    payload = payload_of({"payload": body.payload}) if is_edited else None
    how = Repeat(run_on=body.version, is_retry=False, caller_key_id=call.caller.key_id, payload=payload)
    return await _repeat(call, how)


class Many(Document):
    """Which runs of an installation are meant; the conditions combine.

    Without ``status`` the failed ones are run again, and the pending ones cancelled. ``since`` is included,
    ``until`` is not. ``dryRun`` only counts.
    """

    workflow_id: str | None = None
    status: ExecutionStatus | None = None
    error_type: str | None = None
    error_code: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    execution_ids: list[str] | None = None
    dry_run: bool = False


class Begun(Document):
    """How many runs are meant, and the job that takes care of them: none for a dry run, or for no runs."""

    count: int
    dry_run: bool
    job_id: str | None = None


async def _begin(call: Call[Many], action: JobAction) -> Begun:
    body = call.body
    selection = Selection.model_validate(body.model_dump(exclude={"dry_run"}))
    total, job_id = await count_or_begin(
        call.platform,
        call.caller,
        call.params["processInstanceId"],
        action,
        selection,
        dry_run=body.dry_run,
    )
    return Begun(count=total, dry_run=body.dry_run, job_id=job_id)


@endpoint(
    "POST",
    "cancelExecutionsPublic",
    "processInstanceId",
    access=_CALLERS,
    envelope=Envelope.DATA,
    request=Many,
    response=Begun,
    errors=_REFUSALS,
)
async def cancel_executions_public(call: Call[Many]) -> Begun:
    """Cancel many pending runs of an installation, or count them."""
    return await _begin(call, JobAction.CANCEL)


@endpoint(
    "POST",
    "retryExecutionsPublic",
    "processInstanceId",
    access=_CALLERS,
    envelope=Envelope.DATA,
    request=Many,
    response=Begun,
    errors=(*_REFUSALS, InsufficientCredits),
)
async def retry_executions_public(call: Call[Many]) -> Begun:
    """Run many ended runs of an installation again as they were, or count them."""
    return await _begin(call, JobAction.RETRY)


@endpoint(
    "POST",
    "replayExecutionsPublic",
    "processInstanceId",
    access=_CALLERS,
    envelope=Envelope.DATA,
    request=Many,
    response=Begun,
    errors=(*_REFUSALS, InsufficientCredits),
)
async def replay_executions_public(call: Call[Many]) -> Begun:
    """Run many ended runs of an installation again on the version that is live, or count them."""
    return await _begin(call, JobAction.REPLAY)


class JobProgress(Document):
    """How far a job is. ``reasons`` counts by error code what failed; skipped runs had changed meanwhile."""

    job_id: str
    action: str
    status: str
    total: int
    done: int
    skipped: int
    failed: int
    reasons: dict[str, int]
    created_at: Timestamp
    ended_at: Timestamp | None = None

    @classmethod
    def of(cls, job_id: str, job: ExecutionJob) -> Self:
        """Return what callers see of a job."""
        return cls.model_validate({**dict(job), "job_id": job_id})


@endpoint(
    "GET",
    "getExecutionJobPublic",
    "processInstanceId",
    "jobId",
    access=_READERS,
    envelope=Envelope.DATA,
    response=JobProgress,
    errors=(Unauthorized, Forbidden, NotFound),
)
async def get_execution_job_public(call: Call[None]) -> JobProgress:
    """Return how far a job is."""
    instance, job_id = call.params["processInstanceId"], call.params["jobId"]
    found = await accessible_job(call.platform, call.caller, instance, job_id)
    return JobProgress.of(job_id, found.value)


@endpoint(
    "POST",
    "cancelExecutionJobPublic",
    "processInstanceId",
    "jobId",
    access=_CALLERS,
    envelope=Envelope.DATA,
    request=Nothing,
    response=JobProgress,
    errors=_REFUSALS,
)
async def cancel_execution_job_public(call: Call[Nothing]) -> JobProgress:
    """Let a job go no further; what it has done stays done."""
    instance, job_id = call.params["processInstanceId"], call.params["jobId"]
    return JobProgress.of(job_id, await cancel_job(call.platform, call.caller, instance, job_id))


class Outcome(Document):
    """What the handler did, for the log."""

    outcome: str


class StopOrder(Document):
    """The body of a stopping task."""

    process_instance_id: str
    execution_id: str


@endpoint(
    "POST",
    "stopExecution",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=StopOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
)
async def stop_execution(call: Call[StopOrder]) -> Outcome:
    """Stop a cancelled run in n8n."""
    order, deliveries = call.body, call.deliveries
    call.notes["executionId"] = order.execution_id
    outcome = await stop(call.platform, order.process_instance_id, order.execution_id, deliveries)
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


class PageOrder(Document):
    """The body of the task of one page of a job."""

    process_instance_id: str
    job_id: str
    page: int


@endpoint(
    "POST",
    "controlExecutions",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=PageOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
    timeout_seconds=300,
    memory_mebibytes=512,
)
async def control_executions(call: Call[PageOrder]) -> Outcome:
    """Do a page of a job."""
    order, deliveries = call.body, call.deliveries
    outcome = await do_page(call.platform, order.process_instance_id, order.job_id, order.page, deliveries)
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)
