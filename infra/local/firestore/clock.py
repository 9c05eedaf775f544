"""The clock of commits: microseconds that never stand still and never go back."""

from __future__ import annotations

import time
from collections.abc import Callable


def wall() -> int:
    """Microseconds since 1970, as the machine believes."""
    return time.time_ns() // 1000


class CommitClock:
    """Hands out strictly increasing microseconds, close to the wall clock."""

    def __init__(self, last: int = 0, now: Callable[[], int] = wall) -> None:
        self._now = now
        self.last = last

    def tick(self) -> int:
        """The time of the next commit, later than all before."""
        self.last = max(self.last + 1, self._now())
        return self.last

    def now(self) -> int:
        """A time at which everything committed so far is visible, and nothing later will be."""
        self.last = max(self.last, self._now())
        return self.last
