"""Time as integers: microseconds since 1970 for instants, microseconds for durations."""

from __future__ import annotations

import time
from collections.abc import Callable

from google.protobuf.message import Message

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Clock = Callable[[], int]


def wall_clock() -> int:
    """Return the current time in microseconds since 1970."""
    return time.time_ns() // 1000


def micros(message: Message) -> int:
    """Return a Timestamp or Duration as microseconds, cutting off nanoseconds."""
    return int(message.seconds) * SECOND + int(message.nanos) // 1000


def put(message: Message, value: int) -> None:
    """Write microseconds into a Timestamp or Duration (also when the value is zero)."""
    message.SetInParent()
    message.seconds, rest = divmod(value, SECOND)
    message.nanos = rest * 1000
