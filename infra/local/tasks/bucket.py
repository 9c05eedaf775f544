"""The token bucket behind a queue's dispatch rate. Pure: time comes in as an argument."""

from __future__ import annotations

import math

from infra.local.tasks.times import SECOND


class TokenBucket:
    """Holds up to ``burst`` tokens, refilled at ``rate`` a second; starts full."""

    def __init__(self, rate: float, burst: int, now: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = now

    def configure(self, rate: float, burst: int, now: int) -> None:
        """Change rate and size; tokens already earned stay, up to the new size."""
        self._refill(now)
        self._rate, self._burst = rate, burst
        self._tokens = min(self._tokens, float(burst))

    def available(self, now: int) -> int:
        """Return how many dispatches are allowed at ``now`` (microseconds)."""
        self._refill(now)
        return math.floor(self._tokens)

    def take(self, count: int) -> None:
        """Use tokens that :meth:`available` reported."""
        self._tokens -= count

    def wait(self) -> int:
        """Return the microseconds until one more token is there, 0 when one is there already."""
        missing = 1.0 - self._tokens
        return max(0, math.ceil(missing / self._rate * SECOND))

    def _refill(self, now: int) -> None:
        # A wall clock may step back; time that ran backwards earns nothing and costs nothing.
        elapsed = max(0, now - self._at)
        self._at = now
        # The tiny addition keeps 0.9999999 of a token, a rounding remainder, from costing another wait.
        self._tokens = min(float(self._burst), self._tokens + elapsed * self._rate / SECOND + 1e-9)
