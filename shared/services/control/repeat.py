"""Run again what has ended: as it was, on what is live now, or with another payload (decision 0028)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

import orjson

from shared.errors import Conflict, NotFound
from shared.model.endpoint import Endpoint
from shared.model.execution import Execution, ExecutionStatus
from shared.services.credits.gate import admit
from shared.services.files.inputs import attach
from shared.services.platform import Platform
from shared.services.runs.admission import refusal
from shared.services.runs.idempotency import Once, Started, begin_once, recall
from shared.services.runs.lanes import book
from shared.services.runs.queues import dispatch_task
from shared.services.runs.trigger import addressed, new_execution, payload_of, require_fitting, triggerable
from shared.store import refs
from shared.store.errors import AlreadyExists, Changed
from shared.store.store import Create, Found, Patch, Write


class RunOn(StrEnum):
    """On which version a run is repeated. n8n runs only what is live."""

    SAME = "same"
    """On the one it ran on, if that is what is live."""
    NEWEST = "newest"
    """On what is live, whatever that is."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """How a run is repeated. ``payload`` replaces the one it was given; ``None`` keeps that."""

    run_on: RunOn
    is_retry: bool
    caller_key_id: str | None
    payload: Mapping[str, object] | None = None
    execution_id: str | None = None
    """The id of the new run, where a second try must find the first one's; else it is a new one."""


async def repeated(
    platform: Platform, run: Execution, found: Found[Endpoint] | None, how: Repeat
) -> tuple[Execution, Endpoint, Mapping[str, object]]:
    """Return the run that repeats another, its endpoint and its payload. Nothing is written.

    Raises:
        Conflict: ``EXECUTION_PENDING``, ``VERSION_NOT_LIVE``, ``INPUT_NOT_AVAILABLE``.
        NotFound (``WORKFLOW_NOT_FOUND``), InstanceInactive, InvalidRequest (``TRIGGER_NOT_SUPPORTED``),
        InvalidPayload.
    """
    if run.status is ExecutionStatus.PENDING:
        raise Conflict(
            f"Execution {run.execution_id} is still pending. Wait for it to end, or cancel it first.",
            code="EXECUTION_PENDING",
        )
    if found is None:
        raise NotFound(
            f"Workflow {run.workflow_id} is no longer part of the process instance.",
            code="WORKFLOW_NOT_FOUND",
        )
    endpoint = found.value
    target = triggerable(endpoint)
    if how.run_on is RunOn.SAME and endpoint.version != run.template_version:
        raise _not_live(run, endpoint)
    payload = how.payload if how.payload is not None else await _input_of(platform, run)
    # What a vendor signed was never held against the schema, and is not now.
    if how.payload is not None or (endpoint.version != run.template_version and run.signer is None):
        require_fitting(endpoint, payload)
    again = new_execution(platform, endpoint, trigger_id=target.trigger_id, trigger_type=target.trigger_type)
    again.execution_id = how.execution_id or again.execution_id
    again.caller_key_id = how.caller_key_id
    again.signer = run.signer if how.payload is None else None
    again.retry_of = run.execution_id if how.is_retry else None
    again.replay_of = None if how.is_retry else run.execution_id
    if again.signer is None:
        await attach(platform, endpoint, again, payload, run.given)
    return again, endpoint, payload


async def begin_again(
    platform: Platform,
    run: Execution,
    found: Found[Endpoint] | None,
    how: Repeat,
    also: Sequence[Write] = (),
    once: Once | None = None,
) -> Started:
    """Accept the repetition of a run and return the new one; ``also`` is written in the same commit.

    With ``once`` a call that was accepted before gets the run it began then.

    Raises: as :func:`repeated`; InsufficientCredits; Internal: the queue fails; IdempotencyInProgress,
    IdempotencyKeyReused.
    """
    if once and found and (earlier := await recall(platform, once, found.value)) is not None:
        return earlier
    if found and run.status is not ExecutionStatus.PENDING and not found.value.is_active:
        raise await refusal(platform, run.process_instance_id)
    again, endpoint, payload = await repeated(platform, run, found, how)
    await admit(platform, endpoint.organization_id, endpoint.cost)
    call = await addressed(platform, endpoint, triggerable(endpoint), again, payload)
    instance = run.process_instance_id
    link = Patch(refs.execution(instance, run.execution_id), {"repeated_as": again.execution_id})
    if once is not None:
        started = await begin_once(platform, once, endpoint, again, call, also)
        # Not among the conditions of a call that is tried until it is remembered.
        with suppress(Changed):
            link = Patch(link.ref, {"repeated_as": started.execution_id})
            await platform.store.commit(link)
        return started
    # Booked first: a task whose run is never written ends by itself, a run without a task would not.
    await book(platform, run.organization_id, dispatch_task(instance, again.execution_id, call))
    try:
        new = Create(refs.execution(instance, again.execution_id), again)
        await platform.store.commit(new, link, *also)
    except AlreadyExists:
        # The same repetition, accepted by a try whose answer got lost.
        return Started(again.execution_id)
    except Changed:
        raise _input_gone(run) from None
    return Started(again.execution_id)


async def _input_of(platform: Platform, run: Execution) -> Mapping[str, object]:
    if run.trigger_data_truncated:
        raise Conflict(
            f"Only a part of what execution {run.execution_id} was given is kept, because it is large. "
            "Replay it with a payload.",
            code="INPUT_NOT_AVAILABLE",
        )
    text: str | bytes | None = run.trigger_data
    if run.trigger_data_blob is not None:
        try:
            found = await platform.blobs.get(run.organization_id, [run.trigger_data_blob])
        except KeyError:
            raise _input_gone(run) from None
        text = found[run.trigger_data_blob]
    if text is None:
        raise _input_gone(run)
    given = orjson.loads(text)
    return given if isinstance(given, dict) else payload_of({"payload": given})


def _input_gone(run: Execution) -> Conflict:
    return Conflict(
        f"What execution {run.execution_id} was given is not kept any more. Replay it with a payload, or "
        "trigger the workflow.",
        code="INPUT_NOT_AVAILABLE",
    )


def _not_live(run: Execution, endpoint: Endpoint) -> Conflict:
    return Conflict(
        f"Execution {run.execution_id} ran on version {run.template_version}, and n8n runs version "
        f"{endpoint.version} now. Roll the process instance back to {run.template_version} first, or replay "
        "the execution on the newest version.",
        code="VERSION_NOT_LIVE",
        details={"version": run.template_version, "liveVersion": endpoint.version},
    )
