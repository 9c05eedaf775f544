"""Register a run that started inside n8n: a schedule or a service event (nodes §4.2)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import orjson

from shared.errors import Forbidden, NotFound, Unauthorized
from shared.model.execution import DispatchState, Execution
from shared.services.credits.gate import admit
from shared.services.platform import Platform
from shared.services.runs.admission import refusal
from shared.services.runs.queues import supervise_task
from shared.services.runs.secret import PURPOSE, mint
from shared.services.runs.trigger import new_execution
from shared.services.runs.trigger_errors import end_trigger_error
from shared.store import refs
from shared.store.store import Create

TRIGGER_DATA_LIMIT = 512 * 1024
"""Bytes of trigger data that are kept; more is cut, and the call does not fail."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A registered run and the secret to report its outcome with."""

    execution: Execution
    secret: str


async def begin(
    platform: Platform,
    *,
    member_secret: str,
    organization_id: str,
    user_id: str,
    process_instance_id: str,
    workflow_id: str,
    trigger_type: str,
    trigger_data: object,
) -> Begun:
    """Create a pending execution for a run that n8n started.

    Raises:
        Unauthorized (``INVALID_SECRET``), Forbidden, NotFound, InstanceInactive, InsufficientCredits.
    """
    member, endpoint = await platform.store.fetch(
        refs.member(organization_id, user_id), refs.endpoint(process_instance_id, workflow_id)
    )
    digest = hashlib.sha256(member_secret.encode()).hexdigest()
    expected = member.value.execution_auth_digest if member else "0" * 64
    if not hmac.compare_digest(digest, expected):
        raise Unauthorized("The member secret is not valid for this user.", code="INVALID_SECRET")
    if endpoint is None:
        raise NotFound(f"Workflow {workflow_id} is not deployed in this process instance.")
    target = endpoint.value
    if target.organization_id != organization_id or target.user_id != user_id:
        raise Forbidden("The process instance does not belong to this user and organization.")
    if not target.is_active:
        raise await refusal(platform, process_instance_id)
    await admit(platform, organization_id, target.cost)
    trigger_id = target.trigger_ids.get(_declared_type(trigger_type), "") or next(
        iter(target.trigger_ids.values()), ""
    )
    execution = new_execution(platform, target, trigger_id=trigger_id, trigger_type=trigger_type)
    execution.dispatch = DispatchState.ACCEPTED
    execution.started_at = execution.created_at
    text = orjson.dumps(trigger_data)
    execution.trigger_data_truncated = len(text) > TRIGGER_DATA_LIMIT
    execution.trigger_data = text[:TRIGGER_DATA_LIMIT].decode(errors="ignore")
    reference = refs.execution(process_instance_id, execution.execution_id)
    at = platform.sources.now() + platform.settings.run_timeout
    # The look at the run is booked first: a run that nobody would ever look at must not exist.
    await platform.queue.create(supervise_task(process_instance_id, execution.execution_id, at, 0))
    await platform.store.commit(Create(reference, execution))
    if target.trigger_failed:
        await end_trigger_error(platform, process_instance_id, workflow_id)
    key = await platform.vault.mac_key(PURPOSE)
    return Begun(execution, mint(key, organization_id, process_instance_id, execution.execution_id))


def _declared_type(trigger_type: str) -> str:
    return trigger_type if trigger_type in ("http", "schedule") else "service_event"
