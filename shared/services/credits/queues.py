"""The tasks of credits: add what was spent to the balance, and flag installations."""

from __future__ import annotations

import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import orjson

from shared.errors import Internal
from shared.services.events.queues import DELIVERIES
from shared.services.platform import Platform
from shared.tasks.spec import TaskSpec

CREDITS = "credits"

_WINDOW = 0.5
"""Seconds. The charges of a window are settled together at its end, however many processes made them."""
_SPREAD = 600
"""Seconds over which the months of exhausted organizations begin."""
_LONGEST = timedelta(days=29)


def settle_task(organization_id: str, now: datetime) -> TaskSpec:
    """Return the task that settles what an organization was charged until the end of this half second."""
    window = int(now.timestamp() / _WINDOW)
    at = datetime.fromtimestamp((window + 1) * _WINDOW, UTC)
    return _task("/settlecredits", organization_id, f"settle-{organization_id}-{window}", at)


def flag_task(organization_id: str, now: datetime) -> TaskSpec:
    """Return the task that lets an organization's installations say whether credits are left.

    It comes at the end of the half second: of two changes in it the second books no task of its own.
    """
    window = int(now.timestamp() / _WINDOW)
    at = datetime.fromtimestamp((window + 1) * _WINDOW, UTC)
    return _task("/flagexhaustion", organization_id, f"flag-{organization_id}-{window}", at)


def renewal_task(organization_id: str, now: datetime) -> TaskSpec:
    """Return the task that gives an exhausted organization its new month, should nobody run anything in it.

    A queue keeps a task for 30 days: one that comes before the month does books the next one.
    """
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    begins = (month + timedelta(days=32)).replace(day=1)
    # Not all organizations in the same second.
    begins += timedelta(seconds=zlib.crc32(organization_id.encode()) % _SPREAD)
    at = min(begins, now + _LONGEST)
    return _task("/flagexhaustion", organization_id, f"renew-{organization_id}-{at:%Y%m%d}", at)


def mail_task(organization_id: str, period: str, percent: int) -> TaskSpec:
    """Return the task that mails an alert. It needs no name: an alert that was mailed is not mailed again.

    It waits where calls to the world outside wait: a mail server that hangs holds up no settling.
    """
    body = {"organizationId": organization_id, "period": period, "percent": percent}
    return TaskSpec(DELIVERIES, "/mailcreditalert", orjson.dumps(body), deadline=timedelta(minutes=3))


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
