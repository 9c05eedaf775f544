"""How long to wait before a process that ended is started again."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 30.0
STEADY = 30.0
"""A process that ran this many seconds before it ended is started again at once."""


@dataclass(slots=True)
class Backoff:
    """The first restart is immediate, the next waits 0.5 s, then each twice as long, up to ``longest``."""

    longest: float = LONGEST
    _next: float = 0.0

    def delay(self, ran: float) -> float:
        """Return the seconds to wait after a life of ``ran`` seconds."""
        if ran >= STEADY:
            self._next = 0.0
        delay = self._next
        self._next = min(self.longest, delay * 2 or 0.5)
        return delay
