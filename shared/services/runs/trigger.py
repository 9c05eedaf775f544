"""Start a run: durable first, then the answer; n8n is called by a task (design §6, platform §13)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import orjson
from pydantic import TypeAdapter

from shared.errors import InstanceInactive, InvalidRequest, NotFound
from shared.model.apikey import ApiKey
from shared.model.configuration import FormItem
from shared.model.endpoint import Endpoint, TriggerTarget
from shared.model.execution import Execution
from shared.model.instance import Sharing
from shared.model.signing import Signer
from shared.services.access import require_instance_access
from shared.services.credits.gate import admit
from shared.services.files.inputs import attach
from shared.services.platform import Platform
from shared.services.runs.admission import refusal
from shared.services.runs.idempotency import Once, Started, begin_once, recall
from shared.services.runs.lanes import book
from shared.services.runs.order import address_of
from shared.services.runs.queues import INLINE_LIMIT, dispatch_task
from shared.services.runs.signed import signed_payload
from shared.services.runs.withdraw import withdraw
from shared.store import refs
from shared.store.errors import AlreadyExists
from shared.store.store import Create, Found
from shared.telemetry.current import current_trace
from shared.validation.payload import validate_payload

_SCHEMA: TypeAdapter[list[FormItem]] = TypeAdapter(list[FormItem])


async def trigger(
    platform: Platform,
    caller: ApiKey | Signer,
    process_instance_id: str,
    workflow_id: str,
    found: Found[Endpoint] | None,
    body: object,
    once: Once | None = None,
) -> Started:
    """Accept a run and return it. With ``once`` a call that was accepted before gets the run it began then.

    ``found`` is the endpoint, read together with the key. Costs one write and one task. What somebody signed
    is not held against the trigger's input schema (decision 13).

    Raises:
        Forbidden, NotFound (``INSTANCE_NOT_FOUND``, ``WORKFLOW_NOT_FOUND``), InstanceInactive,
        InsufficientCredits, InvalidRequest (``TRIGGER_NOT_SUPPORTED``), InvalidPayload, Internal: the
        queue fails.
        IdempotencyInProgress, IdempotencyKeyReused: of an earlier call (:mod:`.idempotency`).
    """
    if found is None:
        raise await _why_nothing_is_here(platform, caller, process_instance_id, workflow_id)
    endpoint = found.value
    await _require_access(platform, caller, endpoint.organization_id, process_instance_id, endpoint)
    if once is not None and (earlier := await recall(platform, once, endpoint)) is not None:
        return earlier
    if not endpoint.is_active:
        raise await refusal(platform, process_instance_id)
    target = triggerable(endpoint)
    payload = signed_payload(body) if isinstance(caller, Signer) else payload_of(body)
    if isinstance(caller, ApiKey):
        require_fitting(endpoint, payload)
    await admit(platform, endpoint.organization_id, endpoint.cost)
    execution = new_execution(
        platform, endpoint, trigger_id=target.trigger_id, trigger_type=target.trigger_type
    )
    if isinstance(caller, Signer):
        execution.signer = caller
    else:
        execution.caller_key_id = caller.key_id
        await attach(platform, endpoint, execution, payload)
    call = await addressed(platform, endpoint, target, execution, payload)
    if once is not None:
        return await begin_once(platform, once, endpoint, execution, call)
    await _accept(platform, execution, call)
    return Started(execution.execution_id)


def triggerable(endpoint: Endpoint) -> TriggerTarget:
    """Return where a workflow is called.

    Raises:
        InstanceInactive: its installation takes no runs.
        InvalidRequest (``TRIGGER_NOT_SUPPORTED``): it cannot be called.
    """
    if not endpoint.is_active:
        raise _inactive()
    if endpoint.target is None:
        raise InvalidRequest(
            f"Workflow {endpoint.workflow_id} cannot be triggered: it has neither an http trigger nor a "
            "schedule with a manual URL.",
            code="TRIGGER_NOT_SUPPORTED",
        )
    return endpoint.target


def require_fitting(endpoint: Endpoint, payload: Mapping[str, object]) -> None:
    """Check a payload against the input schema of a workflow, if it has one.

    Raises:
        InvalidPayload: it does not fit.
    """
    if endpoint.input_schema is not None:
        validate_payload(_SCHEMA.validate_json(endpoint.input_schema), payload)


async def addressed(
    platform: Platform,
    endpoint: Endpoint,
    target: TriggerTarget,
    execution: Execution,
    payload: Mapping[str, object],
) -> dict[str, object]:
    """Return what the dispatch task of a run carries, after keeping the payload in the run."""
    carried = await _keep_payload(platform, execution, orjson.dumps(payload))
    return {**address_of(endpoint, target), **carried}


async def _accept(platform: Platform, execution: Execution, call: dict[str, object]) -> None:
    """Write the run and book its dispatch at the same time.

    A task whose run was never written finds nothing and ends; a run that no task will send is removed.
    """
    instance, execution_id = execution.process_instance_id, execution.execution_id
    reference = refs.execution(instance, execution_id)
    written, booked = await asyncio.gather(
        platform.store.commit(Create(reference, execution)),
        book(platform, execution.organization_id, dispatch_task(instance, execution_id, call)),
        return_exceptions=True,
    )
    if isinstance(booked, BaseException):
        if await withdraw(platform, execution):
            raise booked
        return
    # The id is new: what is there already is this very run, written by a try whose answer got lost.
    if isinstance(written, BaseException) and not isinstance(written, AlreadyExists):
        raise written


def payload_of(body: object) -> Mapping[str, object]:
    """Return the payload of a trigger's body (platform §13.3).

    An object with a ``payload`` key means that key; any other object is the payload itself; a payload
    that is no object goes under ``data``.
    """
    payload = body["payload"] if isinstance(body, dict) and "payload" in body else body
    if payload is None:
        return {}
    return payload if isinstance(payload, dict) else {"data": payload}


def new_execution(platform: Platform, endpoint: Endpoint, *, trigger_id: str, trigger_type: str) -> Execution:
    """Return a pending execution of an endpoint's workflow."""
    trace = current_trace()
    return Execution(
        execution_id=platform.sources.uuid7(),
        organization_id=endpoint.organization_id,
        process_id=endpoint.process_id,
        process_instance_id=endpoint.process_instance_id,
        deployment_instance_id=endpoint.deployment_instance_id,
        template_version=endpoint.version,
        environment=endpoint.environment,
        workflow_id=endpoint.workflow_id,
        trigger_id=trigger_id,
        trigger_type=trigger_type,
        n8n_workflow_id=endpoint.n8n_workflow_id,
        backend_id=endpoint.backend_id,
        created_at=platform.sources.now(),
        cost=endpoint.cost,
        of_another=endpoint.of_another,
        uses_language_models=endpoint.uses_language_models,
        llm_cost_estimate=endpoint.llm_cost_estimate,
        user_id=endpoint.user_id,
        shared_with=endpoint.shared_with,
        shared_with_user_ids=endpoint.shared_with_user_ids,
        traceparent=trace.parent if trace else None,
        tracestate=(trace.state or None) if trace else None,
    )


async def _keep_payload(platform: Platform, execution: Execution, text: bytes) -> dict[str, object]:
    if len(text) <= INLINE_LIMIT:
        execution.trigger_data = text.decode()
        return {"payload": orjson.Fragment(text)}
    (digest,) = await platform.blobs.put(execution.organization_id, [text])
    execution.trigger_data_blob = digest
    return {"payloadBlob": digest}


async def _require_access(
    platform: Platform, caller: ApiKey | Signer, organization_id: str, process_instance_id: str, of: Sharing
) -> None:
    # A signature was made with a secret of this very workflow, which says all there is to say.
    if isinstance(caller, ApiKey):
        await require_instance_access(platform, caller, organization_id, process_instance_id, of)


async def _why_nothing_is_here(
    platform: Platform, caller: ApiKey | Signer, process_instance_id: str, workflow_id: str
) -> Exception:
    instance = await platform.store.get(refs.instance(process_instance_id))
    if instance is None:
        return NotFound(f"Process instance {process_instance_id} not found.", code="INSTANCE_NOT_FOUND")
    value = instance.value
    await _require_access(platform, caller, value.organization_id, process_instance_id, value)
    if not value.is_active:
        return _inactive()
    return NotFound(
        f"Workflow {workflow_id} not found in process instance {process_instance_id}.",
        code="WORKFLOW_NOT_FOUND",
    )


def _inactive() -> InstanceInactive:
    return InstanceInactive(
        "This process instance is not active. Activate it, or rerun its deployment if that failed."
    )
