"""Send a run into n8n: at most once, and not before n8n can take it (design §6).

    queued ──claim──► sending ──n8n has it──► (its callback ends the run)
      ▲                  │
      └── not reached ───┘      refused: failed at once

A claim is a conditional write, so one of several deliveries of a task wins, and it runs out: nothing is
sent after ``dispatch_accept_after``. A delivery that finds the run ``sending`` cannot know whether the
call got through: it waits until the claim has run out, then asks n8n, and sends again only if n8n never
saw the run.

Where a run goes is decided when it is sent: the endpoint is read with the run. While a deployment switches
versions its endpoints are held, and runs wait (decision 0008).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from shared.errors import UpstreamError
from shared.model.document import Document
from shared.model.endpoint import Endpoint
from shared.model.execution import DispatchState, Execution, ExecutionStatus
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused, N8nUnreachable
from shared.n8n.webhook import WebhookOutcome
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.services.runs.finish import fail
from shared.services.runs.queues import settle_task, supervise_task
from shared.services.runs.secret import PURPOSE, mint
from shared.services.secrets import open_text, webhook_secret
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch

SETTLE_AFTER = timedelta(seconds=10)
"""How long a run whose webhook call failed is given to report, itself or by the error workflow."""

_LOOK_AFTER = 1.5
"""Claims are taken over after this many times their length: clocks differ, and n8n needs a moment to
list a run it has just been given."""

_REFUSALS = {
    WebhookOutcome.REFUSED_NOT_REGISTERED: (
        "WEBHOOK_NOT_REGISTERED",
        "n8n has no such webhook: the workflow is not published. Rerun the deployment.",
    ),
    WebhookOutcome.REFUSED_FORBIDDEN: (
        "WEBHOOK_FORBIDDEN",
        "n8n refused the call: the webhook does not use the organization's header-auth credential.",
    ),
}


_REMOVED = {
    "type": "node_failure",
    "code": "WORKFLOW_REMOVED",
    "message": "A later deployment removed the workflow before this run could be sent to it.",
}

_PAUSED = {
    "type": "node_failure",
    "code": "INSTANCE_INACTIVE",
    "message": "The process instance was deactivated before this run could be sent to n8n.",
}


class DispatchOrder(Document):
    """The body of a dispatch task."""

    process_instance_id: str
    execution_id: str
    organization_id: str
    process_id: str
    workflow_id: str
    user_id: str
    url: str
    method: str
    webhook_secret: str
    payload: dict[str, object] | None = None
    payload_blob: str | None = None


class TryLater(UpstreamError):
    """The task must be delivered again later; the queue's back-off decides when."""

    status = 503
    default_code = "TRY_LATER"


async def dispatch(platform: Platform, order: DispatchOrder, deliveries: int) -> str:
    """Send a run into n8n; return what happened, for the log.

    ``deliveries`` is the number of earlier deliveries of the same task.

    Raises:
        TryLater: n8n was not reached, or another worker may still be sending.
    """
    reference = refs.execution(order.process_instance_id, order.execution_id)
    found, endpoint = await platform.store.fetch(
        reference, refs.endpoint(order.process_instance_id, order.workflow_id)
    )
    if found is None:
        # The task is created beside the record; a record that does not follow was never accepted.
        if deliveries < 5:
            raise TryLater("The execution is not recorded yet.")
        return "never accepted"
    if found.value.status is not ExecutionStatus.PENDING:
        return "already finished"
    if found.value.dispatch is DispatchState.ACCEPTED:
        return "already accepted"
    if found.value.dispatch is DispatchState.SENDING and await _n8n_has_it(platform, found):
        await platform.store.commit(Patch(reference, {"dispatch": DispatchState.ACCEPTED}))
        await _supervise(platform, order, platform.sources.now() + platform.settings.run_timeout)
        await _settle_soon(platform, order)
        return "found in n8n"
    if endpoint is None or endpoint.value.target is None:
        await fail(platform, found.value, found.update_time, _REMOVED)
        return "workflow removed"
    if not endpoint.value.is_active:
        await fail(platform, found.value, found.update_time, _PAUSED)
        return "installation paused"
    if endpoint.value.held_until and platform.sources.now() < endpoint.value.held_until:
        raise TryLater("A deployment is switching the workflows to another version.")
    point("dispatch.before_claim")
    claim = await _claim(platform, found, endpoint.value)
    point("dispatch.claimed")
    return await _send(platform, _readdressed(order, endpoint.value), found.value, claim)


def _readdressed(order: DispatchOrder, endpoint: Endpoint) -> DispatchOrder:
    """Return the order for where the workflow is now: it may have been deployed anew since the trigger."""
    if endpoint.target is None:
        return order
    target, secret = endpoint.target, endpoint.webhook_secret
    return order.model_copy(update={"url": target.url, "method": target.method, "webhook_secret": secret})


async def _n8n_has_it(platform: Platform, found: Found[Execution]) -> bool:
    run = found.value
    now, grace = platform.sources.now(), platform.settings.dispatch_accept_after
    if run.started_at is not None and now < run.started_at + _LOOK_AFTER * grace:
        raise TryLater("Another worker may still be sending the execution.")
    client = await n8n_client(platform, run.backend_id)
    try:
        seen = await client.find_execution_of(run.n8n_workflow_id, run.execution_id, run.created_at)
        return seen is not None or not await _shows_its_runs(client, run.n8n_workflow_id)
    except N8nUnreachable as error:
        raise TryLater("n8n cannot be asked whether it has the execution.") from error


async def _shows_its_runs(client: N8nClient, n8n_workflow_id: str) -> bool:
    """Whether n8n keeps every run of the workflow, so that one it does not know never began."""
    try:
        settings = (await client.get_workflow(n8n_workflow_id)).settings
    except N8nRefused as error:
        return error.n8n_status == 404
    kept = (settings.get("saveDataSuccessExecution", "all"), settings.get("saveDataErrorExecution", "all"))
    return "none" not in kept


@dataclass(frozen=True, slots=True)
class _Claim:
    """The version a worker made by claiming a run, and until when it may send it."""

    version: datetime
    ends: datetime


async def _claim(platform: Platform, found: Found[Execution], endpoint: Endpoint) -> _Claim:
    now = platform.sources.now()
    claimed = {
        "dispatch": DispatchState.SENDING,
        "started_at": now,
        "deployment_instance_id": endpoint.deployment_instance_id,
        "template_version": endpoint.version,
    }
    try:
        (version,) = await platform.store.commit(Patch(found.ref, claimed, found.update_time))
    except Changed:
        raise TryLater("Another worker took the execution.") from None
    return _Claim(version, now + platform.settings.dispatch_accept_after)


async def _send(platform: Platform, order: DispatchOrder, run: Execution, claim: _Claim) -> str:
    auth = await open_text(platform, order.webhook_secret, webhook_secret(order.organization_id))
    metadata = await _metadata(platform, order, claim.version)
    if run.signer is not None:
        metadata |= {"webhook": run.signer.wire()}
    body = orjson.dumps({**await _payload(platform, order), "executionMetadata": metadata})
    left = (claim.ends - platform.sources.now()).total_seconds()
    if left <= 0:
        raise TryLater("The claim ran out before the execution could be sent.")
    # Created beside the call, not before it: a run must be looked after, but not wait for that.
    outcome, _ = await asyncio.gather(
        platform.n8n.webhooks.call(order.url, order.method, body, auth, accept_timeout=left),
        _supervise(platform, order, platform.sources.now() + platform.settings.run_timeout),
    )
    point("dispatch.sent")
    if outcome is WebhookOutcome.NOT_REACHED:
        await _release(platform, run, claim.version)
        raise TryLater("n8n was not reached; the execution stays queued.")
    if outcome is WebhookOutcome.UNKNOWN:
        raise TryLater("It is not known whether n8n has the execution; the next delivery asks.")
    if outcome in _REFUSALS:
        code, message = _REFUSALS[outcome]
        await fail(platform, run, claim.version, {"type": "node_failure", "message": message, "code": code})
    elif outcome is WebhookOutcome.FAILED_IN_WORKFLOW:
        await _settle_soon(platform, order)
    return outcome.name.lower()


async def _payload(platform: Platform, order: DispatchOrder) -> dict[str, object]:
    if order.payload_blob is None:
        return dict(order.payload or {})
    contents = await platform.blobs.get(order.organization_id, [order.payload_blob])
    parsed: dict[str, object] = orjson.loads(contents[order.payload_blob])
    return parsed


async def _metadata(platform: Platform, order: DispatchOrder, version: datetime) -> dict[str, object]:
    key = await platform.vault.mac_key(PURPOSE)
    base = platform.settings.base_url
    return {
        "executionId": order.execution_id,
        "executionSecret": mint(key, order.process_instance_id, order.execution_id, version),
        "callbackUrl": f"{base}/submitWorkflowResult",
        "errorCallbackUrl": f"{base}/submitWorkflowError",
        "workflowId": order.workflow_id,
        "processId": order.process_id,
        "processInstanceId": order.process_instance_id,
        "userId": order.user_id,
        "organizationId": order.organization_id,
    }


async def _release(platform: Platform, run: Execution, version: datetime) -> None:
    reference = refs.execution(run.process_instance_id, run.execution_id)
    released = {"dispatch": DispatchState.QUEUED, "started_at": None}
    # A run that ended meanwhile stays as it is. One that a deployment held back is looked up in n8n.
    with suppress(Changed):
        await platform.store.commit(Patch(reference, released, version))


async def _supervise(platform: Platform, order: DispatchOrder, at: datetime) -> None:
    await platform.queue.create(supervise_task(order.process_instance_id, order.execution_id, at, 0))


async def _settle_soon(platform: Platform, order: DispatchOrder) -> None:
    # A run normally reports by itself. This look is for the one that cannot any more.
    at = platform.sources.now() + SETTLE_AFTER
    await platform.queue.create(settle_task(order.process_instance_id, order.execution_id, at))
