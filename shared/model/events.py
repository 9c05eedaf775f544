"""Events that organizations are told of, to whom, and how the telling went (decision 0024)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document


class EventType(StrEnum):
    """What happened."""

    EXECUTION_COMPLETED = "execution.completed"
    EXECUTION_FAILED = "execution.failed"
    DEPLOYMENT_SUCCEEDED = "deployment.succeeded"
    DEPLOYMENT_FAILED = "deployment.failed"
    CREDENTIAL_BROKEN = "credential.broken"
    CREDITS_LOW = "credits.low"
    CREDITS_EXHAUSTED = "credits.exhausted"
    INSTANCE_STATE_CHANGED = "instance.state_changed"
    TEST = "test"
    """Sent when a subscriber asks for it."""


class OutEvent(Document):
    """Something that happened, written in the commit of what it tells of. ``data`` is JSON text.

    ``only`` is the one subscription it is for, if it is not for all.
    """

    event_id: str
    organization_id: str
    type: EventType
    subject: str
    data: str
    only: str | None = None
    created_at: datetime
    expire_at: datetime


class Subscription(Document):
    """An address that is told of events. Empty ``types`` stand for all of them.

    ``secret`` is sealed. After a rotation ``previous_secret`` signs as well until ``previous_until``.
    ``failing_since`` is when the first of the deliveries failed that have all failed since.
    """

    subscription_id: str
    organization_id: str
    url: str
    description: str | None = None
    types: list[EventType] = []
    enabled: bool = True
    disabled_reason: str | None = None
    secret: str
    previous_secret: str | None = None
    previous_until: datetime | None = None
    failing_since: datetime | None = None
    created_by: str
    created_at: datetime

    def wants(self, event: OutEvent) -> bool:
        """Return whether the subscriber is to be told of an event."""
        if event.only is not None:
            return event.only == self.subscription_id
        return self.enabled and (not self.types or event.type in self.types)


class DeliveryStatus(StrEnum):
    """How far the delivery of an event to a subscriber is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Every try failed, or the subscriber is gone."""


class Attempt(Document):
    """One try. ``latency`` is in milliseconds; ``response`` the beginning of what was answered."""

    at: datetime
    status: int | None = None
    error: str | None = None
    latency: int
    response: str | None = None


class Delivery(Document):
    """An event on its way to one subscriber, with every try."""

    event_id: str
    subscription_id: str
    organization_id: str
    type: EventType
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: list[Attempt] = []
    round: int = 0
    """How often it was replayed; the tries of every round are counted anew."""
    tried: int = 0
    """Tries of this round."""
    next_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    expire_at: datetime
