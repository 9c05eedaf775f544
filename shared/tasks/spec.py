"""What is put into a queue, and how a queue is set up. Pure values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_NAME = re.compile(r"[A-Za-z0-9_-]{1,500}")
_QUEUE = re.compile(r"[A-Za-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task.

    Raises:
        ValueError: a queue or task name Cloud Tasks would refuse, a path that is not absolute, or a
            schedule time without a time zone.
    """

    queue: str
    """Short queue name, e.g. ``dispatch``."""
    path: str
    """Path of the handler below the base URL of the tasks, e.g. ``/tasks/dispatchExecution``."""
    body: bytes = field(repr=False)
    """JSON."""
    name: str | None = None
    """A name makes the task unique: a second one is refused for an hour or more after the first is done."""
    schedule_time: datetime | None = None
    """Not before; at most 30 days ahead. ``None`` means now."""
    deadline: timedelta = timedelta(minutes=10)
    """How long an attempt may take: 15 seconds to 30 minutes."""

    def __post_init__(self) -> None:
        if not _QUEUE.fullmatch(self.queue):
            raise ValueError(f"invalid queue name: {self.queue!r}")
        if self.name is not None and not _NAME.fullmatch(self.name):
            raise ValueError(f"invalid task name: {self.name!r}")
        if not self.path.startswith("/"):
            raise ValueError(f"the path of a task begins with a slash: {self.path!r}")
        if self.schedule_time is not None and self.schedule_time.tzinfo is None:
            raise ValueError("the schedule time of a task needs a time zone")


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """Rates and retries of a queue; the defaults are those of Cloud Tasks."""

    name: str
    """Short queue name."""
    max_dispatches_per_second: float = 500.0
    max_concurrent_dispatches: int = 1000
    max_attempts: int = 100
    """Attempts per task, the first included; -1 means no limit."""
    max_retry_duration: timedelta = timedelta(0)
    """With ``max_attempts``, both must be used up before a task is dropped; zero means no limit."""
    min_backoff: timedelta = timedelta(milliseconds=100)
    max_backoff: timedelta = timedelta(hours=1)
    max_doublings: int = 16
