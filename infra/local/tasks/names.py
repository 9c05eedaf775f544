"""Resource names of Cloud Tasks, checked as Google documents them."""

from __future__ import annotations

import re

from infra.local.tasks.rpc import invalid

_LOCATION = r"projects/[A-Za-z0-9.:-]{1,100}/locations/[A-Za-z0-9-]{1,100}"
_PARENT = re.compile(_LOCATION)
_QUEUE = re.compile(rf"{_LOCATION}/queues/[A-Za-z0-9-]{{1,100}}")
_TASK = re.compile(rf"({_LOCATION}/queues/[A-Za-z0-9-]{{1,100}})/tasks/([A-Za-z0-9_-]{{1,500}})")


def location(name: str) -> str:
    """Return a valid ``projects/P/locations/L``; raises :class:`Refusal` for anything else."""
    if not _PARENT.fullmatch(name):
        raise invalid("Invalid location name; expected projects/PROJECT_ID/locations/LOCATION_ID.")
    return name


def queue(name: str) -> str:
    """Return a valid queue name; raises :class:`Refusal` for anything else."""
    if not _QUEUE.fullmatch(name):
        raise invalid("Invalid queue name; expected projects/P/locations/L/queues/[A-Za-z0-9-]{1,100}.")
    return name


def task(name: str) -> tuple[str, str]:
    """Return queue name and short id of a task name; raises :class:`Refusal` for anything else."""
    match = _TASK.fullmatch(name)
    if match is None:
        raise invalid("Invalid task name; expected QUEUE/tasks/[A-Za-z0-9_-]{1,500}.")
    return match[1], match[2]
