"""Events out: who is told of what happens, and how the telling went (decision 0024)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StringConstraints

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unauthorized, UpstreamError
from shared.http.access import A, O, P, TaskCall, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.events import Attempt, Delivery, DeliveryStatus, EventType, Subscription
from shared.model.scopes import Scope
from shared.services.events.announce import announce
from shared.services.events.deliver import DeliveryOrder, deliver
from shared.services.events.deliveries import list_deliveries, replay, send_test
from shared.services.events.subscriptions import (
    Minted,
    create_subscription,
    delete_subscription,
    list_subscriptions,
    rotate_secret,
    update_subscription,
)

_ACCESS = keys(O, P, A, scopes=(Scope.INSTANCES_MANAGE,), management=True)
_ERRORS = (InvalidRequest, Unauthorized, Forbidden, NotFound)

Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2048)]
Types = Annotated[list[EventType], Field(max_length=20)]


class OfOrganization(Document):
    """Names an organization; a key of one need not."""

    organization_id: str | None = None


class OfSubscription(OfOrganization):
    """Names a subscription."""

    subscription_id: str = Field(min_length=1)


class SubscriptionShown(Document):
    """A subscription. Empty ``types`` stand for all. ``secret`` is there when it was just made."""

    subscription_id: str
    organization_id: str
    url: str
    description: str | None = None
    types: list[EventType]
    enabled: bool
    disabled_reason: str | None = None
    failing_since: Timestamp | None = None
    created_by: str
    created_at: Timestamp
    secret: str | None = Field(default=None, repr=False)

    @classmethod
    def of(cls, subscription: Subscription) -> Self:
        """Return what is shown of a subscription."""
        return cls.model_validate({**dict(subscription), "secret": None})

    @classmethod
    def with_secret(cls, minted: Minted) -> Self:
        """Return what is shown of a subscription whose secret was just made."""
        return cls.model_validate({**dict(minted.subscription), "secret": minted.secret})


class CreateSubscription(OfOrganization):
    """An address to tell of events; without ``types`` of all."""

    url: Url
    types: Types = []
    description: Description | None = None


@endpoint(
    "POST",
    "createEventSubscription",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=CreateSubscription,
    response=SubscriptionShown,
    errors=(*_ERRORS, Conflict),
)
async def create_event_subscription(call: Call[CreateSubscription]) -> SubscriptionShown:
    """Be told of events at an address; the answer has the secret they are signed with, once."""
    body = call.body
    minted = await create_subscription(
        call.platform,
        call.caller,
        body.organization_id,
        url=body.url,
        types=body.types,
        description=body.description,
    )
    return SubscriptionShown.with_secret(minted)


class SubscriptionsShown(Document):
    """Subscriptions, the oldest first."""

    subscriptions: list[SubscriptionShown]
    count: int


@endpoint(
    "GET",
    "listEventSubscriptions",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=OfOrganization,
    response=SubscriptionsShown,
    errors=_ERRORS,
)
async def list_event_subscriptions(call: Call[OfOrganization]) -> SubscriptionsShown:
    """List who is told of an organization's events."""
    found = await list_subscriptions(call.platform, call.caller, call.body.organization_id)
    return SubscriptionsShown(subscriptions=[SubscriptionShown.of(one) for one in found], count=len(found))


class UpdateSubscription(OfSubscription):
    """What to change of a subscription."""

    url: Url | None = None
    types: Types | None = None
    description: Description | None = None
    enabled: bool | None = None


@endpoint(
    "POST",
    "updateEventSubscription",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=UpdateSubscription,
    response=SubscriptionShown,
    errors=(*_ERRORS, Conflict),
)
async def update_event_subscription(call: Call[UpdateSubscription]) -> SubscriptionShown:
    """Change the address, the types or the description of a subscription, or switch it off and on."""
    body = call.body
    names = ("url", "types", "description", "enabled")
    changes = {name: value for name in names if (value := getattr(body, name)) is not None}
    changed = await update_subscription(
        call.platform, call.caller, body.organization_id, body.subscription_id, changes
    )
    return SubscriptionShown.of(changed)


class SubscriptionDeleted(Document):
    """A subscription that is no more."""

    subscription_id: str


@endpoint(
    "POST",
    "deleteEventSubscription",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=OfSubscription,
    response=SubscriptionDeleted,
    errors=(*_ERRORS, Conflict),
)
async def delete_event_subscription(call: Call[OfSubscription]) -> SubscriptionDeleted:
    """Tell an address of nothing any more."""
    body = call.body
    await delete_subscription(call.platform, call.caller, body.organization_id, body.subscription_id)
    return SubscriptionDeleted(subscription_id=body.subscription_id)


@endpoint(
    "POST",
    "rotateEventSubscriptionSecret",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=OfSubscription,
    response=SubscriptionShown,
    errors=(*_ERRORS, Conflict),
)
async def rotate_event_subscription_secret(call: Call[OfSubscription]) -> SubscriptionShown:
    """Make a new secret; events are signed with both for a day."""
    body = call.body
    minted = await rotate_secret(call.platform, call.caller, body.organization_id, body.subscription_id)
    return SubscriptionShown.with_secret(minted)


class EventSent(Document):
    """An event that is on its way."""

    event_id: str


@endpoint(
    "POST",
    "sendTestEvent",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=OfSubscription,
    response=EventSent,
    errors=_ERRORS,
)
async def send_test_event(call: Call[OfSubscription]) -> EventSent:
    """Send an address an event of the type ``test``."""
    body = call.body
    sent = await send_test(call.platform, call.caller, body.organization_id, body.subscription_id)
    return EventSent(event_id=sent)


class DeliveriesQuery(OfSubscription):
    """The query of a page of deliveries."""

    status: DeliveryStatus | None = None
    after: str | None = None
    limit: int = Field(default=50, ge=1)


class AttemptShown(Document):
    """A try. ``latency`` is in milliseconds; ``response`` the beginning of what was answered."""

    at: Timestamp
    status: int | None = None
    error: str | None = None
    latency: int
    response: str | None = None

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """Return what is shown of a try."""
        return cls.model_validate(dict(attempt))


class DeliveryShown(Document):
    """An event and how its delivery went, try by try."""

    event_id: str
    type: EventType
    status: DeliveryStatus
    attempts: list[AttemptShown]
    next_at: Timestamp | None = None
    created_at: Timestamp

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Return what is shown of a delivery."""
        tries = [AttemptShown.of(attempt) for attempt in delivery.attempts]
        return cls.model_validate({**dict(delivery), "attempts": tries})


class DeliveriesShown(Document):
    """Deliveries, newest first; ``next`` is there when older ones follow, to be sent as ``after``."""

    deliveries: list[DeliveryShown]
    next: str | None = None


@endpoint(
    "GET",
    "listEventDeliveries",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=DeliveriesQuery,
    response=DeliveriesShown,
    errors=_ERRORS,
)
async def list_event_deliveries(call: Call[DeliveriesQuery]) -> DeliveriesShown:
    """List what an address was told of, newest first, with every try; kept for thirty days."""
    query = call.body
    page = await list_deliveries(
        call.platform,
        call.caller,
        query.organization_id,
        query.subscription_id,
        status=query.status,
        after=query.after,
        limit=query.limit,
    )
    return DeliveriesShown(deliveries=[DeliveryShown.of(one) for one in page.deliveries], next=page.following)


class Replay(OfSubscription):
    """What to deliver again: one event, or all that failed since a moment."""

    event_id: str | None = None
    since: AwareDatetime | None = None


class Replayed(Document):
    """How many events are on their way again."""

    count: int


@endpoint(
    "POST",
    "replayEvents",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=Replay,
    response=Replayed,
    errors=_ERRORS,
)
async def replay_events(call: Call[Replay]) -> Replayed:
    """Tell an address again: of one event, or of all that failed since a moment, a hundred at most."""
    body = call.body
    count = await replay(
        call.platform,
        call.caller,
        body.organization_id,
        body.subscription_id,
        event_id=body.event_id,
        since=body.since,
    )
    return Replayed(count=count)


class AnnounceOrder(Document):
    """The body of the task that finds who is to be told of an event."""

    organization_id: str
    event_id: str


class Outcome(Document):
    """What the handler did, for the log."""

    outcome: str


@endpoint(
    "POST",
    "announceEvent",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=AnnounceOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
)
async def announce_event(call: Call[AnnounceOrder]) -> Outcome:
    """Begin the delivery of an event to everybody who wants it."""
    told = await announce(call.platform, call.body.organization_id, call.body.event_id, call.deliveries)
    call.notes["outcome"] = outcome = f"{told} subscribers"
    return Outcome(outcome=outcome)


@endpoint(
    "POST",
    "deliverEvent",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=DeliveryOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
)
async def deliver_event(call: Call[DeliveryOrder]) -> Outcome:
    """Try once to tell a subscriber of an event."""
    call.notes["outcome"] = outcome = await deliver(call.platform, call.body, call.deliveries)
    return Outcome(outcome=outcome)
