"""The tasks of credits: add what was spent to the balance, and flag installations."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import orjson

from shared.errors import Internal
from shared.services.platform import Platform
from shared.tasks.spec import TaskSpec

CREDITS = "credits"

_WINDOW = 0.5
"""Seconds. The charges of a window are settled together at its end, however many processes made them."""


def settle_task(organization_id: str, now: datetime) -> TaskSpec:
    """Return the task that settles what an organization was charged until the end of this half second."""
    window = int(now.timestamp() / _WINDOW)
    at = datetime.fromtimestamp((window + 1) * _WINDOW, UTC)
    return _task("/settlecredits", organization_id, f"settle-{organization_id}-{window}", at)


def flag_task(organization_id: str, now: datetime) -> TaskSpec:
    """Return the task that lets an organization's installations say whether credits are left."""
    name = f"flag-{organization_id}-{int(now.timestamp())}"
    return _task("/flagexhaustion", organization_id, name, now)


async def book(platform: Platform, task: TaskSpec) -> None:
    """Book a task, if the queue answers: what it would do, the next one of its kind does."""
    with suppress(Internal):
        await platform.queue.create(task)


def _task(path: str, organization_id: str, name: str, at: datetime) -> TaskSpec:
    return TaskSpec(
        queue=CREDITS,
        path=path,
        body=orjson.dumps({"organizationId": organization_id}),
        name=name,
        schedule_time=at,
        deadline=timedelta(minutes=5),
    )
