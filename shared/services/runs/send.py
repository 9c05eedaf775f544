"""Call n8n for a run that was claimed, and judge what comes of it (design §6).

A worker waits for n8n's answer only for ``dispatch_hold``: a run that takes longer must not keep others of
its lane waiting. The connection stays open beside the answer to the queue, so what goes wrong later is seen
as long as the process lives; else the supervisor finds it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from shared.model.execution import DispatchState, Execution
from shared.n8n.webhook import Progress, WebhookOutcome
from shared.services.faults import point
from shared.services.files.inputs import expanded
from shared.services.platform import Platform
from shared.services.runs.figures import note_sent
from shared.services.runs.finish import fail
from shared.services.runs.order import DispatchOrder, TryLater, book_again
from shared.services.runs.queues import settle_task, supervise_task
from shared.services.runs.secret import PURPOSE, mint
from shared.services.secrets import open_text, webhook_secret
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Patch

SETTLE_AFTER = timedelta(seconds=10)
"""How long a run whose webhook call failed is given to report, itself or by the error workflow."""

_REFUSALS = {
    WebhookOutcome.REFUSED_NOT_REGISTERED: (
        "WEBHOOK_NOT_REGISTERED",
        "n8n has no such webhook: the workflow is not published. Rerun the deployment.",
    ),
    WebhookOutcome.REFUSED_FORBIDDEN: (
        "WEBHOOK_FORBIDDEN",
        "n8n refused the call: the webhook does not use the organization's header-auth credential.",
    ),
    WebhookOutcome.REFUSED_TOO_LARGE: (
        "PAYLOAD_TOO_LARGE",
        "n8n takes no payload of this size: send less, or raise its N8N_PAYLOAD_SIZE_MAX (MiB; 32 fits all).",
    ),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """The version a worker made by claiming a run, and until when it may send it."""

    version: datetime
    ends: datetime


async def send(platform: Platform, order: DispatchOrder, run: Execution, claim: Claim) -> str:
    """Send a claimed run; return what happened, for the log.

    Raises:
        TryLater: n8n was not reached, or it is unknown whether it has the run.
    """
    auth = await open_text(platform, order.webhook_secret, webhook_secret(order.organization_id))
    metadata = await _metadata(platform, order)
    if run.signer is not None:
        metadata |= {"webhook": run.signer.wire()}
    payload = await expanded(platform, run, await _payload(platform, order, run))
    body = orjson.dumps({**payload, "executionMetadata": metadata})
    left = (claim.ends - platform.sources.now()).total_seconds()
    if left <= 0:
        raise TryLater("The claim ran out before the execution could be sent.")
    progress = Progress()
    call = platform.n8n.webhooks.call(
        order.url, order.method, body, auth, accept_timeout=left, progress=progress
    )
    calling = asyncio.ensure_future(call)
    # Booked beside the call, not before it: a run must be looked after, but not wait for that.
    await asyncio.gather(_held(platform, calling, progress), look_later(platform, order))
    point("dispatch.sent")
    if not calling.done() or calling.result() is WebhookOutcome.ACCEPTED:
        note_sent(run, platform.sources.now())
    if not calling.done():
        platform.go_on(_watch(platform, order, run, claim, calling))
        return WebhookOutcome.ACCEPTED.name.lower()
    outcome = calling.result()
    await _judge(platform, order, run, claim, outcome)
    return outcome.name.lower()


async def _held(platform: Platform, calling: asyncio.Future[WebhookOutcome], progress: Progress) -> None:
    await asyncio.wait({calling}, timeout=platform.settings.dispatch_hold.total_seconds())
    if not progress.sent:
        await asyncio.wait({calling})


async def _watch(
    platform: Platform,
    order: DispatchOrder,
    run: Execution,
    claim: Claim,
    calling: asyncio.Future[WebhookOutcome],
) -> None:
    try:
        await _judge(platform, order, run, claim, await calling)
    except TryLater:
        await book_again(platform, order)


async def _judge(
    platform: Platform, order: DispatchOrder, run: Execution, claim: Claim, outcome: WebhookOutcome
) -> None:
    if outcome is WebhookOutcome.NOT_REACHED:
        await release(platform, run, claim.version)
        raise TryLater("n8n was not reached; the execution stays queued.")
    if outcome is WebhookOutcome.UNKNOWN:
        raise TryLater("It is not known whether n8n has the execution; the next delivery asks.")
    if outcome in _REFUSALS:
        code, message = _REFUSALS[outcome]
        await fail(platform, run, {"type": "node_failure", "message": message, "code": code})
    elif outcome is WebhookOutcome.FAILED_IN_WORKFLOW:
        await settle_soon(platform, order)


async def _payload(platform: Platform, order: DispatchOrder, run: Execution) -> dict[str, object]:
    blob = run.trigger_data_blob if order.recorded else order.payload_blob
    if blob is None:
        recorded = orjson.loads(run.trigger_data or b"{}") if order.recorded else order.payload
        return dict(recorded or {})
    contents = await platform.blobs.get(order.organization_id, [blob])
    parsed: dict[str, object] = orjson.loads(contents[blob])
    return parsed


async def _metadata(platform: Platform, order: DispatchOrder) -> dict[str, object]:
    key = await platform.vault.mac_key(PURPOSE)
    base = platform.settings.base_url
    return {
        "executionId": order.execution_id,
        "executionSecret": mint(key, order.organization_id, order.process_instance_id, order.execution_id),
        "callbackUrl": f"{base}/submitWorkflowResult",
        "errorCallbackUrl": f"{base}/submitWorkflowError",
        "workflowId": order.workflow_id,
        "processId": order.process_id,
        "processInstanceId": order.process_instance_id,
        "userId": order.user_id,
        "organizationId": order.organization_id,
    }


async def release(platform: Platform, run: Execution, version: datetime) -> None:
    """Give a run back that n8n does not have."""
    reference = refs.execution(run.process_instance_id, run.execution_id)
    released = {"dispatch": DispatchState.QUEUED, "started_at": None}
    # A run that ended meanwhile stays as it is. One that a deployment held back is looked up in n8n.
    with suppress(Changed):
        await platform.store.commit(Patch(reference, released, version))


async def look_later(platform: Platform, order: DispatchOrder) -> None:
    """Book a look at a run that has not reported by then."""
    at = platform.sources.now() + platform.settings.run_timeout
    await platform.queue.create(supervise_task(order.process_instance_id, order.execution_id, at, 0))


async def settle_soon(platform: Platform, order: DispatchOrder) -> None:
    """Book an early look at a run whose webhook call ended badly."""
    # A run normally reports by itself. This look is for the one that cannot any more.
    at = platform.sources.now() + SETTLE_AFTER
    await platform.queue.create(settle_task(order.process_instance_id, order.execution_id, at))
