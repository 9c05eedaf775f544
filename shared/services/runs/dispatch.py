"""Send a run into n8n: at most once, and not before n8n can take it (design §6).

    queued ──claim──► sending ──n8n has it──► (its callback ends the run)
      ▲                  │
      └── not reached ───┘      refused: failed at once

A claim is a conditional write, so one of several deliveries of a task wins, and it runs out: nothing is
sent after ``dispatch_accept_after``. A delivery that finds the run ``sending`` cannot know whether the
call got through: it waits until the claim has run out, then asks n8n, and sends again only if n8n never
saw the run.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from shared.errors import UpstreamError
from shared.model.document import Document
from shared.model.execution import DispatchState, Execution, ExecutionStatus
from shared.n8n.errors import N8nUnreachable
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
"""How long the error workflow is given to report a run whose webhook call failed."""

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
    found = await platform.store.get(reference)
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
        await _supervise(platform, order, platform.sources.now())
        return "found in n8n"
    point("dispatch.before_claim")
    claim = await _claim(platform, found)
    point("dispatch.claimed")
    return await _send(platform, order, found.value, claim)


async def _n8n_has_it(platform: Platform, found: Found[Execution]) -> bool:
    run = found.value
    now, grace = platform.sources.now(), platform.settings.dispatch_accept_after
    if run.started_at is not None and now < run.started_at + _LOOK_AFTER * grace:
        raise TryLater("Another worker may still be sending the execution.")
    client = await n8n_client(platform, run.backend_id)
    try:
        seen = await client.find_execution_of(run.n8n_workflow_id, run.execution_id, run.created_at)
    except N8nUnreachable as error:
        raise TryLater("n8n cannot be asked whether it has the execution.") from error
    return seen is not None


@dataclass(frozen=True, slots=True)
class _Claim:
    """The version a worker made by claiming a run, and until when it may send it."""

    version: datetime
    ends: datetime


async def _claim(platform: Platform, found: Found[Execution]) -> _Claim:
    now = platform.sources.now()
    claimed = {"dispatch": DispatchState.SENDING, "started_at": now}
    try:
        (version,) = await platform.store.commit(Patch(found.ref, claimed, found.update_time))
    except Changed:
        raise TryLater("Another worker took the execution.") from None
    return _Claim(version, now + platform.settings.dispatch_accept_after)


async def _send(platform: Platform, order: DispatchOrder, run: Execution, claim: _Claim) -> str:
    auth = await open_text(platform, order.webhook_secret, webhook_secret(order.organization_id))
    metadata = await _metadata(platform, order, claim.version)
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
    if outcome in _REFUSALS:
        code, message = _REFUSALS[outcome]
        await fail(platform, run, claim.version, {"type": "node_failure", "message": message, "code": code})
    elif outcome in (WebhookOutcome.FAILED_IN_WORKFLOW, WebhookOutcome.UNKNOWN):
        await _settle_soon(platform, order)
    return outcome.name.lower()


async def _payload(platform: Platform, order: DispatchOrder) -> dict[str, object]:
    if order.payload_blob is None:
        return dict(order.payload or {})
    contents = await platform.blobs.get(order.organization_id, [order.payload_blob])
    parsed: dict[str, object] = orjson.loads(contents[order.payload_blob])
    return parsed


async def _metadata(platform: Platform, order: DispatchOrder, version: datetime) -> dict[str, str]:
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
    # A run that ended meanwhile stays as it is; the next delivery finds it so.
    with suppress(Changed):
        await platform.store.commit(
            Patch(reference, {"dispatch": DispatchState.QUEUED, "started_at": None}, version)
        )


async def _supervise(platform: Platform, order: DispatchOrder, at: datetime) -> None:
    await platform.queue.create(supervise_task(order.process_instance_id, order.execution_id, at, 0))


async def _settle_soon(platform: Platform, order: DispatchOrder) -> None:
    # The error workflow normally reports within a second. This look is for the run it cannot report.
    at = platform.sources.now() + SETTLE_AFTER
    await platform.queue.create(settle_task(order.process_instance_id, order.execution_id, at))
