"""What workflows and n8n call back: begin, result, error, and the error workflow (nodes §4-§8)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, JsonValue

from shared.errors import (
    Conflict,
    Forbidden,
    InstanceInactive,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    Unauthorized,
)
from shared.executions.details import from_report
from shared.http.access import BodySecret, HeaderSecret
from shared.http.call import Call
from shared.http.declaration import AnyJson, Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.services.runs.begin import begin
from shared.services.runs.capture import capture
from shared.services.runs.error_report import ErrorReport
from shared.services.runs.report import report_error, report_result


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_LONGEST_RUN = 10 * 365 * 24 * 3600 * 1000
"""Milliseconds."""

IdText = Annotated[str, BeforeValidator(_text)]
"""An id that n8n may give as a number."""


class BeginRequest(Document):
    """The body of ``createWorkflowExecution``."""

    member_secret: str
    organization_id: str
    user_id: str
    process_instance_id: str
    workflow_id: str
    trigger_type: str
    trigger_data: JsonValue = None


class BeginAnswer(Document):
    """A registered run, and how to report its outcome."""

    execution_id: str
    execution_secret: str
    callback_url: str
    error_callback_url: str
    process_id: str
    user_id: str


@endpoint(
    "POST",
    "createWorkflowExecution",
    access=BodySecret(),
    envelope=Envelope.FLAT,
    request=BeginRequest,
    response=BeginAnswer,
    errors=(InvalidRequest, Unauthorized, InsufficientCredits, Forbidden, NotFound, InstanceInactive),
)
async def create_workflow_execution(call: Call[BeginRequest]) -> BeginAnswer:
    """Register a run that started inside n8n."""
    body = call.body
    begun = await begin(
        call.platform,
        member_secret=body.member_secret,
        organization_id=body.organization_id,
        user_id=body.user_id,
        process_instance_id=body.process_instance_id,
        workflow_id=body.workflow_id,
        trigger_type=body.trigger_type,
        trigger_data=body.trigger_data,
    )
    base = call.platform.settings.base_url
    return BeginAnswer(
        execution_id=begun.execution.execution_id,
        execution_secret=begun.secret,
        callback_url=f"{base}/submitWorkflowResult",
        error_callback_url=f"{base}/submitWorkflowError",
        process_id=begun.execution.process_id,
        user_id=begun.execution.user_id,
    )


class ResultRequest(Document):
    """The body of ``submitWorkflowResult``; ``result`` is the name old nodes use."""

    execution_id: str
    execution_secret: str
    result_data: JsonValue = None
    result: JsonValue = None
    n8n_execution_id: IdText | None = None
    execution_time_ms: float | None = None


class Done(Document):
    """Taken."""


@endpoint(
    "POST",
    "submitWorkflowResult",
    access=BodySecret(),
    envelope=Envelope.FLAT,
    request=ResultRequest,
    response=Done,
    errors=(InvalidRequest, Unauthorized, NotFound, Conflict),
)
async def submit_workflow_result(call: Call[ResultRequest]) -> Done:
    """End a run with its result."""
    body = call.body
    result = body.result_data if "result_data" in body.model_fields_set else body.result
    call.notes["executionId"] = body.execution_id
    await report_result(
        call.platform,
        body.execution_id,
        body.execution_secret,
        result,
        body.n8n_execution_id,
        _milliseconds(body.execution_time_ms),
    )
    return Done()


class ErrorRequest(Document):
    """The body of ``submitWorkflowError``; ``error`` is the nested form of old nodes."""

    execution_id: str
    execution_secret: str
    error_type: JsonValue = None
    error_message: JsonValue = None
    failed_node_name: str | None = None
    last_executed_node: str | None = None
    error: JsonValue = None
    n8n_execution_id: IdText | None = None
    execution_time_ms: float | None = None


@endpoint(
    "POST",
    "submitWorkflowError",
    access=BodySecret(),
    envelope=Envelope.FLAT,
    request=ErrorRequest,
    response=Done,
    errors=(InvalidRequest, Unauthorized, NotFound, Conflict),
)
async def submit_workflow_error(call: Call[ErrorRequest]) -> Done:
    """End a run with the error its workflow reports."""
    body = call.body
    call.notes["executionId"] = body.execution_id
    details = from_report(body.fields())
    await report_error(
        call.platform,
        body.execution_id,
        body.execution_secret,
        details.fields(),
        body.n8n_execution_id,
        _milliseconds(body.execution_time_ms),
    )
    return Done()


class CaptureAnswer(Document):
    """Where the failure was written; ``matched`` tells whether that run was known before."""

    execution_id: str | None = None
    matched: bool


@endpoint(
    "POST",
    "captureWorkflowError",
    aliases=("reportN8nExecutionError",),
    access=HeaderSecret(),
    envelope=Envelope.FLAT,
    request=AnyJson,
    response=CaptureAnswer,
    errors=(InvalidRequest, Unauthorized),
)
async def capture_workflow_error(call: Call[JsonValue]) -> CaptureAnswer:
    """Take what an organization's n8n error workflow reports."""
    report = _report(call.body)
    secret = call.headers.get("x-codika-webhook-auth", "")
    captured = await capture(call.platform, report, secret)
    call.notes["executionId"] = captured.execution_id
    return CaptureAnswer(execution_id=captured.execution_id, matched=captured.matched)


def _report(body: JsonValue) -> ErrorReport:
    document = body if isinstance(body, dict) else {}
    raw = document.get("report", document)
    raw = raw if isinstance(raw, dict) else {}
    workflow, execution = raw.get("workflow"), raw.get("execution")
    workflow_id = workflow.get("id") if isinstance(workflow, dict) else None
    execution_id = execution.get("id") if isinstance(execution, dict) else None
    organization = document.get("organizationId")
    if not isinstance(organization, str) or workflow_id is None:
        raise InvalidRequest("The report must name organizationId and workflow.id.")
    return ErrorReport(
        organization_id=organization,
        n8n_workflow_id=str(workflow_id),
        n8n_execution_id=None if execution_id is None else str(execution_id),
        raw=raw,
    )


def _milliseconds(value: float | None) -> int | None:
    # What no clock can have measured counts as not measured.
    return int(value) if value is not None and 0 <= value < _LONGEST_RUN else None
