"""Calls about runs, credits and events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from bench.api import Json
from bench.endpoints.desk import Asked, Desk

Prepare = Callable[[Desk], Awaitable[Asked]]

_RECEIVER = "http://127.0.0.1:9/events"
"""Nobody is there: what is measured is the call, not a delivery."""

UNMEASURED: Mapping[str, str] = {
    "cancelExecutionPublic": "it ends a run that is under way, and none of the stack lasts that long",
    "retryExecutionPublic": "it triggers, as triggerWebhookPublic does, and every call would start a run",
    "replayExecutionPublic": "it triggers, as triggerWebhookPublic does, and every call would start a run",
    "getExecutionJobPublic": "it needs a job over many runs, which starts them",
    "cancelExecutionJobPublic": "it needs a job over many runs, which starts them",
    "replayEvents": "it sends events to a receiver, and the stack has none",
    "uploadWorkflowInput": "its cost is that of the file it is sent",
    "sendTestEvent": "it sends an event to a receiver, and the stack has none",
}


async def _runs(desk: Desk) -> Asked:
    return Asked({"dryRun": True}, params=(desk.instance_id,))


async def _nothing(_: Desk) -> Asked:
    return Asked()


async def _subscription(desk: Desk) -> dict[str, object]:
    # An organization has at most twenty.
    listed = await desk.get("listEventSubscriptions")
    for known in cast("list[Json]", listed["subscriptions"]):
        await desk.post("deleteEventSubscription", None, subscriptionId=known["subscriptionId"])
    made = await desk.post("createEventSubscription", None, url=_RECEIVER, types=["credits.low"])
    return {"subscriptionId": made["subscriptionId"]}


async def _with_room(desk: Desk) -> Asked:
    await desk.post("deleteEventSubscription", None, **await _subscription(desk))
    return Asked({"url": _RECEIVER, "types": ["credits.low"]})


async def _subscribed(desk: Desk) -> Asked:
    return Asked(await _subscription(desk))


async def _changed(desk: Desk) -> Asked:
    return Asked({**await _subscription(desk), "description": desk.name()})


async def _deliveries(desk: Desk) -> Asked:
    return Asked(query={name: str(value) for name, value in (await _subscription(desk)).items()})


async def _policy(_: Desk) -> Asked:
    return Asked({"creditPolicy": "record"})


CALLS: Mapping[str, Prepare] = {
    "cancelExecutionsPublic": _runs,
    "createEventSubscription": _with_room,
    "deleteEventSubscription": _subscribed,
    "getCreditUsage": _nothing,
    "getCredits": _nothing,
    "listCreditLedger": _nothing,
    "listEventDeliveries": _deliveries,
    "listEventSubscriptions": _nothing,
    "listOrganizationExecutions": _nothing,
    "replayExecutionsPublic": _runs,
    "retryExecutionsPublic": _runs,
    "rotateEventSubscriptionSecret": _subscribed,
    "setCreditPolicy": _policy,
    "updateEventSubscription": _changed,
}
