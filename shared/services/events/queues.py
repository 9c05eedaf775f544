"""The queues and tasks of events, and when a delivery is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson

from shared.tasks.spec import TaskSpec

EVENTS = "events"
"""Tells who is to hear of an event; it calls nobody."""
DELIVERIES = "deliveries"

SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        0,
        5,
        5 * 60,
        30 * 60,
        2 * 3600,
        5 * 3600,
        10 * 3600,
        14 * 3600,
        20 * 3600,
        24 * 3600,
    )
)
"""Before each try, how long is waited after the one before (Standard Webhooks)."""


def announce_task(organization_id: str, event_id: str) -> TaskSpec:
    """Return the task that finds who is to be told of an event."""
    body = {"organizationId": organization_id, "eventId": event_id}
    return TaskSpec(EVENTS, "/announceevent", orjson.dumps(body), deadline=timedelta(minutes=1))


def deliver_task(
    organization_id: str, event_id: str, subscription_id: str, round_: int, tried: int, at: datetime | None
) -> TaskSpec:
    """Return the task of the next try; there is one for each."""
    body = {
        "organizationId": organization_id,
        "eventId": event_id,
        "subscriptionId": subscription_id,
        "round": round_,
        "tried": tried,
    }
    name = f"deliver-{event_id}-{subscription_id}-{round_}-{tried}"
    return TaskSpec(
        DELIVERIES,
        "/deliverevent",
        orjson.dumps(body),
        name=name,
        schedule_time=at,
        deadline=timedelta(minutes=1),
    )
