"""An event for the commit of what it tells of, and the task that sees to its being told.

The task is booked before the commit: one that finds no event waits a little, and ends if none comes. So an
event that was committed is told of, whoever dies in between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import orjson

from shared.errors import UpstreamError
from shared.model.events import Delivery, EventType, OutEvent, Subscription
from shared.services.events.queues import announce_task, deliver_task
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import AlreadyExists
from shared.store.query import Query, below, find
from shared.store.store import Create, Put, Write
from shared.tasks.spec import TaskSpec

MOST_SUBSCRIPTIONS = 20
"""Of one organization."""
KEPT = timedelta(days=30)
"""How long events and their deliveries can be looked at and replayed."""

WAITED_FOR = 8
"""Deliveries of a task during which what it is about may still be committed."""


class NotYet(UpstreamError):
    """The task is to be delivered again."""

    status = 503
    default_code = "TRY_LATER"


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event that is not committed yet."""

    event: OutEvent

    @property
    def write(self) -> Write:
        """What belongs into the commit. Written twice it is the same event."""
        return Put(refs.event(self.event.organization_id, self.event.event_id), self.event)

    @property
    def task(self) -> TaskSpec:
        """What sees to its being told."""
        return announce_task(self.event.organization_id, self.event.event_id)

    async def book(self, platform: Platform) -> None:
        """Book its being told; before the commit, or beside it.

        Raises:
            Internal: the queue fails.
        """
        await platform.queue.create(self.task)


def announced(
    platform: Platform,
    organization_id: str,
    type_: EventType,
    subject: str,
    data: Mapping[str, object],
    *,
    occasion: str = "",
    only: str | None = None,
) -> Announcement:
    """Return the announcement that something happened to ``subject``, the id of a run, an installation, ….

    ``occasion`` tells apart what happens to a subject more than once. Type, subject and occasion make the
    event's id: to announce the same twice is to announce it once. ``data`` holds no secrets, no inputs and
    no results.
    """
    now = platform.sources.now()
    digest = hashlib.sha256(f"{organization_id}|{type_}|{subject}|{occasion}".encode()).hexdigest()
    return Announcement(
        OutEvent(
            event_id=f"evt_{digest[:32]}",
            organization_id=organization_id,
            type=type_,
            subject=subject,
            data=orjson.dumps(dict(data)).decode(),
            only=only,
            created_at=now,
            expire_at=now + KEPT,
        )
    )


def subscriptions_of(organization_id: str) -> Query[Subscription]:
    """Return the query of an organization's subscriptions."""
    return below(refs.organization(organization_id), "subscriptions", Subscription)


async def announce(platform: Platform, organization_id: str, event_id: str, deliveries: int) -> int:
    """Begin the delivery of an event to everybody who wants it; return to how many. Safe to repeat.

    ``deliveries`` is the number of earlier deliveries of the same task.

    Raises:
        NotYet: there is no such event yet.
    """
    event = await platform.store.get(refs.event(organization_id, event_id))
    if event is None:
        if deliveries < WAITED_FOR:
            raise NotYet("The event is not committed yet.")
        return 0
    subscribed = await find(platform.store, subscriptions_of(organization_id).at_most(MOST_SUBSCRIPTIONS))
    wanting = [found.value for found in subscribed if found.value.wants(event.value)]
    for subscription in wanting:
        await begin_delivery(platform, event.value, subscription.subscription_id)
    return len(wanting)


async def begin_delivery(platform: Platform, event: OutEvent, subscription_id: str) -> None:
    """Write down that an event is on its way to a subscriber, and book the first try; safe to repeat."""
    now = platform.sources.now()
    delivery = Delivery(
        event_id=event.event_id,
        subscription_id=subscription_id,
        organization_id=event.organization_id,
        type=event.type,
        next_at=now,
        created_at=now,
        updated_at=now,
        expire_at=event.expire_at,
    )
    reference = refs.delivery(event.organization_id, event.event_id, subscription_id)
    # It may have been begun by an earlier delivery of the same task, which died before it booked the try.
    with suppress(AlreadyExists):
        await platform.store.commit(Create(reference, delivery))
    task = deliver_task(event.organization_id, event.event_id, subscription_id, 0, 0, None)
    await platform.queue.create(task)
