"""When a failed task is tried again, and when it is given up. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from google.protobuf.message import Message

from infra.local.tasks.rpc import invalid
from infra.local.tasks.times import DAY, HOUR, SECOND, micros, put

UNLIMITED = -1
RETENTION = 31 * DAY


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a queue retries; durations in microseconds, ``max_retry_duration`` 0 means no limit."""

    max_attempts: int = 100
    max_retry_duration: int = 0
    min_backoff: int = SECOND // 10
    max_backoff: int = HOUR
    max_doublings: int = 16

    def delay(self, failures: int) -> int:
        """Return the microseconds to wait after the given number of failed attempts (1 or more).

        The interval starts at ``min_backoff``, doubles ``max_doublings`` times, then grows by the last
        doubled value, and stays at ``max_backoff``: 10, 20, 40, 80, 160, 240, 300, 300, … seconds for
        10 s, 300 s and three doublings.
        """
        doublings = min(failures - 1, self.max_doublings)
        if doublings >= (self.max_backoff // max(1, self.min_backoff)).bit_length():
            return self.max_backoff
        step = self.min_backoff << doublings
        return min(self.max_backoff, step * max(1, failures - self.max_doublings))

    def exhausted(self, attempts: int, since_first: int, age: int) -> bool:
        """Tell whether no further attempt is made.

        Attempts and duration must both be used up when both are limited. ``since_first`` is the time
        since the first attempt, ``age`` the time since creation, in microseconds.
        """
        if age > RETENTION:
            return True
        tried_enough = self.max_attempts == UNLIMITED or attempts >= self.max_attempts
        tried_long = self.max_retry_duration == 0 or since_first >= self.max_retry_duration
        limited = self.max_attempts != UNLIMITED or self.max_retry_duration > 0
        return limited and tried_enough and tried_long

    def overridden(self, message: Message) -> RetryPolicy:
        """Return this policy with the fields a RetryConfig message sets.

        Raises :class:`Refusal` (INVALID_ARGUMENT) when a value is out of range.
        """
        durations = {
            name: micros(getattr(message, name))
            for name in ("max_retry_duration", "min_backoff", "max_backoff")
            if message.HasField(name)
        }
        counts = {
            name: int(getattr(message, name))
            for name in ("max_attempts", "max_doublings")
            if getattr(message, name)
        }
        policy = replace(self, **{name: value for name, value in {**durations, **counts}.items() if value})
        if policy.max_attempts < UNLIMITED:
            raise invalid("RetryConfig.max_attempts must be -1 (unlimited) or more.")
        if min(policy.max_retry_duration, policy.min_backoff, policy.max_backoff, policy.max_doublings) < 0:
            raise invalid("RetryConfig durations and max_doublings must not be negative.")
        if policy.min_backoff > policy.max_backoff:
            raise invalid("RetryConfig.min_backoff must not exceed max_backoff.")
        return policy

    def write(self, message: Message) -> None:
        """Write every field into a RetryConfig message."""
        message.max_attempts = self.max_attempts
        message.max_doublings = self.max_doublings
        put(message.min_backoff, self.min_backoff)
        put(message.max_backoff, self.max_backoff)
        if self.max_retry_duration:
            put(message.max_retry_duration, self.max_retry_duration)
