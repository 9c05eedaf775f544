"""What was delivered to whom, and delivering it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.errors import InvalidRequest, NotFound
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.events import Delivery, DeliveryStatus, EventType
from shared.services.audit import audited
from shared.services.events.access import managed_organization
from shared.services.events.announce import announced, begin_delivery
from shared.services.events.queues import deliver_task
from shared.services.events.subscriptions import subscription_of
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.query import Query, below, find
from shared.store.store import Found, Patch

MOST = 100
"""Deliveries of a page, and of one replay."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some deliveries, newest first. ``following`` is where the next page starts, unless this is the last."""

    deliveries: list[Delivery]
    following: str | None


async def list_deliveries(
    platform: Platform,
    caller: ApiKey,
    organization_id: str | None,
    subscription_id: str,
    *,
    status: DeliveryStatus | None,
    after: str | None,
    limit: int,
) -> Page:
    """Return a page of what was, or is to be, delivered to a subscriber.

    Raises:
        Forbidden, NotFound (``EVENT_SUBSCRIPTION_NOT_FOUND``), InvalidRequest (``INVALID_CURSOR``)
    """
    organization_id = await managed_organization(platform, caller, organization_id)
    await subscription_of(platform, organization_id, subscription_id)
    size = min(limit, MOST)
    query = _deliveries(organization_id, subscription_id)
    if status is not None:
        query = query.where("status", "==", status.value)
    query = query.newest_first("created_at").newest_first("event_id")
    if after is not None:
        query = query.after(*_cursor(after))
    found = await find(platform.store, query.at_most(size + 1))
    shown = [one.value for one in found[:size]]
    last = shown[-1] if len(found) > size else None
    return Page(shown, f"{last.created_at.isoformat()}|{last.event_id}" if last else None)


async def send_test(
    platform: Platform, caller: ApiKey, organization_id: str | None, subscription_id: str
) -> str:
    """Send a subscriber a test event, enabled or not; return the event's id.

    Raises:
        Forbidden, NotFound (``EVENT_SUBSCRIPTION_NOT_FOUND``), InvalidRequest
    """
    organization_id = await managed_organization(platform, caller, organization_id)
    await subscription_of(platform, organization_id, subscription_id)
    data = {"message": "This is a test.", "subscriptionId": subscription_id}
    test = announced(
        platform,
        organization_id,
        EventType.TEST,
        subscription_id,
        data,
        occasion=platform.sources.uuid7(),
        only=subscription_id,
    )
    await test.book(platform)
    await platform.store.commit(test.write)
    return test.event.event_id


async def replay(
    platform: Platform,
    caller: ApiKey,
    organization_id: str | None,
    subscription_id: str,
    *,
    event_id: str | None,
    since: datetime | None,
) -> int:
    """Deliver again: one event, whatever became of it, or what failed since a moment, a hundred at most.

    Returns how many are on their way again; what already is stays as it is. Call again for more.

    Raises:
        Forbidden, NotFound (``EVENT_SUBSCRIPTION_NOT_FOUND``, ``EVENT_NOT_FOUND``)
        InvalidRequest: neither an event nor a moment is named, or both are.
    """
    organization_id = await managed_organization(platform, caller, organization_id)
    await subscription_of(platform, organization_id, subscription_id)
    if (event_id is None) == (since is None):
        raise InvalidRequest("Name either eventId or since.")
    if event_id is not None:
        again = await _one(platform, organization_id, event_id, subscription_id)
    else:
        again = await _failed(platform, organization_id, subscription_id, since)
    entry = audited(
        platform,
        caller,
        AuditAction.EVENTS_REPLAYED,
        organization_id,
        subscription_id,
        event_id=event_id,
        count=len(again),
    )
    await platform.store.commit(entry)
    return sum([await _again(platform, found) for found in again])


async def _one(
    platform: Platform, organization_id: str, event_id: str, subscription_id: str
) -> list[Found[Delivery]]:
    event, found = await platform.store.fetch(
        refs.event(organization_id, event_id), refs.delivery(organization_id, event_id, subscription_id)
    )
    if event is None:
        raise NotFound(f"Event {event_id} not found, or not kept any more.", code="EVENT_NOT_FOUND")
    if found is not None:
        return [found]
    # It was announced before this subscriber was there.
    await begin_delivery(platform, event.value, subscription_id)
    return []


async def _failed(
    platform: Platform, organization_id: str, subscription_id: str, since: datetime | None
) -> list[Found[Delivery]]:
    query = _deliveries(organization_id, subscription_id).where("status", "==", DeliveryStatus.FAILED.value)
    query = query.where("created_at", ">=", since).newest_first("created_at").newest_first("event_id")
    return await find(platform.store, query.at_most(MOST))


async def _again(platform: Platform, found: Found[Delivery]) -> bool:
    of = found.value
    if of.status is DeliveryStatus.PENDING:
        return False
    now = platform.sources.now()
    place = (of.organization_id, of.event_id, of.subscription_id)
    await platform.queue.create(deliver_task(*place, of.round + 1, 0, None))
    changes = {
        "status": DeliveryStatus.PENDING,
        "round": of.round + 1,
        "tried": 0,
        "next_at": now,
        "updated_at": now,
    }
    try:
        await platform.store.commit(Patch(found.ref, changes, found.update_time))
    except Changed:
        return False
    return True


def _deliveries(organization_id: str, subscription_id: str) -> Query[Delivery]:
    query = below(refs.organization(organization_id), "deliveries", Delivery)
    return query.where("subscription_id", "==", subscription_id)


def _cursor(text: str) -> tuple[datetime, str]:
    created, _, event_id = text.partition("|")
    try:
        return datetime.fromisoformat(created), event_id
    except ValueError:
        raise InvalidRequest(
            "after is no cursor of this list.", code="INVALID_CURSOR", field="after"
        ) from None
