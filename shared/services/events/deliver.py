"""One try to tell a subscriber of an event (Standard Webhooks, decision 0024)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from shared.model.audit import AuditAction
from shared.model.document import Document, iso
from shared.model.events import Attempt, Delivery, DeliveryStatus, OutEvent, Subscription
from shared.outbound.post import Answer
from shared.services.audit import audited
from shared.services.events.announce import WAITED_FOR, NotYet
from shared.services.events.queues import SCHEDULE, deliver_task
from shared.services.platform import Platform
from shared.services.secrets import event_secret, open_text
from shared.signatures.sign import signature_header
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch, Write

GIVEN_UP_AFTER = timedelta(days=5)
"""A subscriber that took nothing for this long is not told any more."""
_GONE = 410
_MOST_KEPT = 30
"""Tries that a delivery shows."""


class DeliveryOrder(Document):
    """The body of the task of a try. ``tried`` counts the tries of the round before this one."""

    organization_id: str
    event_id: str
    subscription_id: str
    round: int
    tried: int


@dataclass(frozen=True, slots=True)
class _Case:
    order: DeliveryOrder
    event: OutEvent
    subscription: Found[Subscription]
    delivery: Found[Delivery]


async def deliver(platform: Platform, order: DeliveryOrder, deliveries: int) -> str:
    """Try once; return what happened, for the log. A repeat of a try that was written down does nothing.

    ``deliveries`` is the number of earlier deliveries of the same task.

    Raises:
        NotYet: what makes it this try's turn is not written down yet.
    """
    event, subscription, delivery = await platform.store.fetch(
        refs.event(order.organization_id, order.event_id),
        refs.subscription(order.organization_id, order.subscription_id),
        refs.delivery(order.organization_id, order.event_id, order.subscription_id),
    )
    if event is None or delivery is None:
        return "unknown"
    of = delivery.value
    if (of.round, of.tried) < (order.round, order.tried) and deliveries < WAITED_FOR:
        raise NotYet("It is not the turn of this try yet.")
    if of.status is not DeliveryStatus.PENDING or (of.round, of.tried) != (order.round, order.tried):
        return "done before"
    if subscription is None or not (subscription.value.enabled or event.value.only):
        ended = {"status": DeliveryStatus.FAILED, "next_at": None, "updated_at": platform.sources.now()}
        return await _written(
            platform, "not wanted any more", Patch(delivery.ref, ended, delivery.update_time)
        )
    case = _Case(order, event.value, subscription, delivery)
    answer = await _sent(platform, case)
    return await _record(platform, case, answer)


async def _sent(platform: Platform, case: _Case) -> Answer:
    event, subscription, now = case.event, case.subscription.value, platform.sources.now()
    body = orjson.dumps(
        {"type": event.type, "timestamp": iso(event.created_at), "data": orjson.Fragment(event.data)}
    )
    sealed = [subscription.secret]
    if subscription.previous_secret and subscription.previous_until and now < subscription.previous_until:
        sealed.append(subscription.previous_secret)
    context = event_secret(event.organization_id, subscription.subscription_id)
    secrets = [await open_text(platform, one, context) for one in sealed]
    seconds = int(now.timestamp())
    headers = {
        "webhook-id": event.event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature_header(secrets, event.event_id, seconds, body),
    }
    return await platform.poster.post(subscription.url, body, headers)


async def _record(platform: Platform, case: _Case, answer: Answer) -> str:
    now, of = platform.sources.now(), case.delivery.value
    attempt = Attempt(
        at=now, status=answer.status, error=answer.error, latency=answer.latency, response=answer.excerpt
    )
    changes: dict[str, object] = {
        "attempts": [*of.attempts, attempt][-_MOST_KEPT:],
        "tried": of.tried + 1,
        "updated_at": now,
        "next_at": None,
    }
    if answer.taken:
        changes["status"] = DeliveryStatus.DELIVERED
    elif answer.status == _GONE or of.tried + 1 >= len(SCHEDULE):
        changes["status"] = DeliveryStatus.FAILED
    else:
        changes["next_at"] = await _book(platform, case, now)
    written = Patch(case.delivery.ref, changes, case.delivery.update_time)
    said = f"{answer.status}" if answer.status is not None else answer.error or "failed"
    return await _written(platform, said, written, *_health(platform, case, answer, now))


async def _book(platform: Platform, case: _Case, now: datetime) -> datetime:
    """Book the next try before this one is written down: it finds nothing to do if this one never is."""
    order, tried = case.order, case.order.tried + 1
    at = now + SCHEDULE[tried]
    place = (order.organization_id, order.event_id, order.subscription_id)
    await platform.queue.create(deliver_task(*place, order.round, tried, at))
    return at


def _health(platform: Platform, case: _Case, answer: Answer, now: datetime) -> list[Write]:
    """Return what a try changes of its subscription; mostly nothing."""
    subscription, reference = case.subscription.value, case.subscription.ref
    if answer.taken:
        return [Patch(reference, {"failing_since": None})] if subscription.failing_since else []
    if answer.status == _GONE:
        return _disabling(platform, case, "The receiver answered 410 Gone.")
    since = subscription.failing_since
    if since is None:
        return [Patch(reference, {"failing_since": now})]
    if now - since >= GIVEN_UP_AFTER:
        return _disabling(platform, case, f"Every delivery since {iso(since)} failed.")
    return []


def _disabling(platform: Platform, case: _Case, reason: str) -> list[Write]:
    subscription = case.subscription.value
    if not subscription.enabled:
        return []
    entry = audited(
        platform,
        subscription.created_by,
        AuditAction.EVENT_SUBSCRIPTION_DISABLED,
        subscription.organization_id,
        subscription.subscription_id,
        reason=reason,
    )
    return [Patch(case.subscription.ref, {"enabled": False, "disabled_reason": reason}), entry]


async def _written(platform: Platform, said: str, *writes: Write) -> str:
    try:
        await platform.store.commit(*writes)
    except Changed:
        return "done by another"
    return said
