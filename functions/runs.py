"""Triggering workflows and following their runs (api §5.22-§5.25)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import Field, JsonValue
from starlette.responses import Response

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
from shared.executions.errors.explained import ExplainedError
from shared.executions.trace import Trace
from shared.http.access import A, I, O, P, keys
from shared.http.asked import Asked
from shared.http.call import Call
from shared.http.declaration import AnyJson, Envelope
from shared.http.endpoint import endpoint
from shared.http.request_headers import IDEMPOTENCY_KEY
from shared.model.document import Document, Timestamp
from shared.model.execution import Execution, LlmTotals, LlmUsage
from shared.model.remembered import RememberedCall
from shared.model.scopes import Scope
from shared.model.signing import WebhookSecrets
from shared.services.files.link import Link, links_of
from shared.services.runs.details import details
from shared.services.runs.idempotency import Once, fingerprint_of
from shared.services.runs.signed import challenge_of, once_of
from shared.services.runs.status import result_of, status
from shared.services.runs.trigger import payload_of, trigger
from shared.store import refs
from shared.store.refs import Ref


def _remembered_of(asked: Asked) -> Ref[RememberedCall] | None:
    key = asked.headers.get(IDEMPOTENCY_KEY.name)
    if key is None or not asked.key_digest:
        return None
    return refs.remembered_call(asked.key_digest, asked["processInstanceId"], asked["workflowId"], key)


def _endpoint_of(asked: Asked) -> tuple[Ref[Any], ...]:
    """The endpoint, and what is remembered under the key the call bears."""
    found = refs.endpoint(asked["processInstanceId"], asked["workflowId"])
    remembered = _remembered_of(asked)
    return (found,) if remembered is None else (found, remembered)


def _execution_of(params: Mapping[str, str]) -> tuple[Ref[Any], ...]:
    return (refs.execution(params["processInstanceId"], params["executionId"]),)


def _webhook_secrets_of(params: Mapping[str, str]) -> Ref[WebhookSecrets]:
    return refs.webhook_secrets(params["processInstanceId"], params["workflowId"])


class Accepted(Document):
    """A run that is durable and on its way."""

    execution_id: str
    message: str = "Execution started"


@endpoint(
    "POST",
    "triggerWebhookPublic",
    "processInstanceId",
    "workflowId",
    aliases=("webhook", "trigger"),
    access=keys(O, P, A, I, scopes=(Scope.WORKFLOWS_TRIGGER,), signed_with=_webhook_secrets_of),
    envelope=Envelope.FLAT,
    request=AnyJson,
    response=Accepted,
    prefetch=_endpoint_of,
    headers=(IDEMPOTENCY_KEY,),
    errors=(
        InvalidRequest,
        InvalidPayload,
        Unauthorized,
        InsufficientCredits,
        Forbidden,
        NotFound,
        IdempotencyInProgress,
        InstanceInactive,
        IdempotencyKeyReused,
    ),
)
async def trigger_webhook_public(call: Call[JsonValue]) -> Accepted | Response:
    """Start a workflow of an installation and answer with its execution id.

    A third party that signs its webhooks needs no key: Standard Webhooks, Svix, Stripe, GitHub or Slack, with
    a secret that was added by `createWebhookSecretPublic`. Its body goes on as it is, and `executionMetadata`
    tells the workflow under `webhook` who signed. A delivery that comes again within a day begins no second
    run.
    """
    if call.signer and (challenge := challenge_of(call.signer, call.body)) is not None:
        return Response(orjson.dumps({"challenge": challenge}), media_type="application/json")
    caller = call.signer or call.caller
    instance, workflow = call.params["processInstanceId"], call.params["workflowId"]
    found, *remembered = call.prefetched
    once = _once(call, remembered)
    started = await trigger(call.platform, caller, instance, workflow, found, call.body, once)
    call.notes["executionId"] = started.execution_id
    if started.replayed:
        call.answer_headers["Idempotent-Replayed"] = "true"
    return Accepted(execution_id=started.execution_id)


def _once(call: Call[JsonValue], remembered: list[Any]) -> Once | None:
    """Return where the call is remembered: by its Idempotency-Key, or by the id of a signed delivery."""
    if call.signer is not None:
        return once_of(call.signer, call.params["processInstanceId"], call.params["workflowId"])
    ref = _remembered_of(Asked(call.params, call.headers, call.key_digest))
    return Once(ref, remembered[0], fingerprint_of(payload_of(call.body))) if ref else None


class RunState(Document):
    """A run as its caller sees it. ``duration`` is in milliseconds.

    ``retry_of`` and ``replay_of`` name the run that this one repeats, ``repeated_as`` the newest that
    repeats it. ``files`` are those it uploaded, whose ids its result may hold, with links that last an hour.
    """

    execution_id: str
    status: str
    created_at: Timestamp
    duration: int | None = None
    result_data: JsonValue = None
    error_details: ExplainedError | None = None
    retry_of: str | None = None
    replay_of: str | None = None
    repeated_as: str | None = None
    files: list[Link] | None = None


class StatusAnswer(Document):
    """The answer of the status endpoint."""

    execution: RunState


MAX_WAIT_SECONDS = 30


class StatusQuery(Document):
    """The query of the status endpoint. ``wait`` is in seconds; more than 30 counts as 30."""

    wait: float = Field(default=0, ge=0, allow_inf_nan=False)


def _explained(run: Execution) -> ExplainedError | None:
    if run.error_details is None:
        return None
    return ExplainedError.of(run.error_details)


@endpoint(
    "GET",
    "getExecutionStatusPublic",
    "processInstanceId",
    "executionId",
    aliases=("status",),
    access=keys(O, P, A, I, scopes=(Scope.WORKFLOWS_TRIGGER, Scope.EXECUTIONS_READ)),
    envelope=Envelope.FLAT,
    response=StatusAnswer,
    request=StatusQuery,
    prefetch=_execution_of,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def get_execution_status_public(call: Call[StatusQuery]) -> StatusAnswer:
    """Return a run's state; with ``?wait=SECONDS`` (up to 30) answer the moment it ends."""
    instance, execution_id = call.params["processInstanceId"], call.params["executionId"]
    (found,) = call.prefetched
    wait = min(call.body.wait, MAX_WAIT_SECONDS)
    run = await status(call.platform, call.caller, instance, execution_id, found, wait)
    return StatusAnswer(
        execution=RunState(
            execution_id=run.execution_id,
            status=run.status.value,
            created_at=run.created_at,
            duration=run.duration,
            result_data=await result_of(call.platform, run),
            error_details=_explained(run),
            retry_of=run.retry_of,
            replay_of=run.replay_of,
            repeated_as=run.repeated_as,
            files=await links_of(call.platform, run) or None,
        )
    )


class DetailsQuery(Document):
    """The query of the details endpoint. ``explain`` is our extension, and looks at sub-workflows too."""

    deep: bool = False
    slim: bool = False
    explain: bool = False


class RunDetails(Document):
    """A run together with n8n's own record of it.

    With ``explain`` there is ``trace``, and what language models used once it is counted; costs are in
    micro-USD.
    """

    codika_execution_id: str
    n8n_execution_id: str
    status: str
    n8n_execution: JsonValue
    trace: Trace | None = None
    llm_usage: list[LlmUsage] | None = None
    llm_totals: LlmTotals | None = None


class DetailsAnswer(Document):
    """The answer of the details endpoint."""

    execution: RunDetails


@endpoint(
    "GET",
    "getExecutionDetailsPublic",
    "processInstanceId",
    "executionId",
    access=keys(O, P, A, scopes=(Scope.EXECUTIONS_READ,)),
    envelope=Envelope.FLAT,
    response=DetailsAnswer,
    request=DetailsQuery,
    prefetch=_execution_of,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, UpstreamError),
)
async def get_execution_details_public(call: Call[DetailsQuery]) -> DetailsAnswer:
    """Return n8n's record of a run; ``deep`` adds sub-workflow runs, ``slim`` drops bulky links.

    ``explain`` adds where it failed and how far it came, and what language models used.
    """
    instance, execution_id = call.params["processInstanceId"], call.params["executionId"]
    (found,) = call.prefetched
    shown = await details(
        call.platform,
        call.caller,
        instance,
        execution_id,
        found,
        deep=call.body.deep or call.body.explain,
        slim=call.body.slim,
    )
    run, explained = shown.run, call.body.explain
    return DetailsAnswer(
        execution=RunDetails(
            codika_execution_id=run.execution_id,
            n8n_execution_id=run.n8n_execution_id or "",
            status=run.status.value,
            n8n_execution=shown.recorded,
            trace=shown.trace if explained else None,
            llm_usage=run.llm_usage if explained else None,
            llm_totals=run.llm_totals if explained else None,
        )
    )
