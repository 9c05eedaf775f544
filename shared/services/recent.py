"""What happened lately in this process, so that it is not written down again and again."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable


class Recent:
    """Remembers up to ``capacity`` things for ``seconds`` each, the oldest forgotten first."""

    def __init__(
        self, seconds: float, capacity: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._capacity = capacity
        self._clock = clock
        self._seen: OrderedDict[Hashable, float] = OrderedDict()

    def is_new(self, thing: Hashable) -> bool:
        """Return whether ``thing`` did not happen lately; from now on it did."""
        now = self._clock()
        if (since := self._seen.get(thing)) is not None and now - since < self._seconds:
            return False
        self._seen[thing] = now
        self._seen.move_to_end(thing)
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return True

    def __contains__(self, thing: Hashable) -> bool:
        """Return whether it happened lately."""
        since = self._seen.get(thing)
        return since is not None and self._clock() - since < self._seconds
