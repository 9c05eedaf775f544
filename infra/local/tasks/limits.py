"""Limits of the service; tests shorten the two that would make them wait."""

from __future__ import annotations

from dataclasses import dataclass

from infra.local.tasks.times import DAY, HOUR, MINUTE, SECOND

MAX_TASK_BYTES = 1024 * 1024
MAX_HEADER_BYTES = 80 * 1024
MAX_URL_CHARACTERS = 2083
MAX_AHEAD = 30 * DAY
DEFAULT_DEADLINE = 10 * MINUTE
MAX_DEADLINE = 30 * MINUTE


@dataclass(frozen=True, slots=True)
class Limits:
    """Durations in microseconds: how long a used name stays taken, and the shortest dispatch deadline."""

    tombstone: int = HOUR
    min_deadline: int = 15 * SECOND
