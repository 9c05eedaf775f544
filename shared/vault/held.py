"""A loaded value that is loaded again when it has grown old."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from shared.vault.errors import SecretsUnavailable

T = TypeVar("T")

Clock = Callable[[], float]
"""Seconds that only grow, such as ``time.monotonic``."""

_RETRY_SECONDS = 30.0


class Held(Generic[T]):
    """One value and its loader. However many ask at once, it is loaded once.

    A value that has grown old stays in use while it is loaded again, and while Secret Manager is down.
    """

    def __init__(self, load: Callable[[], Awaitable[T]], max_age: float, clock: Clock) -> None:
        """Keep what ``load`` returns for ``max_age`` seconds."""
        self._load = load
        self._max_age = max_age
        self._clock = clock
        self._value: tuple[T] | None = None
        self._fresh_until = 0.0
        self._lock = asyncio.Lock()

    async def get(self) -> T:
        """Return the value. Raises what the loader raises."""
        if self._value is not None and (self._clock() < self._fresh_until or self._lock.locked()):
            return self._value[0]
        async with self._lock:
            if self._value is not None and self._clock() < self._fresh_until:
                return self._value[0]
            return await self._loaded()

    async def reload(self) -> T:
        """Load now, whatever the age, and return the value."""
        async with self._lock:
            return await self._loaded()

    def put(self, value: T) -> None:
        """Take a value that was loaded elsewhere just now."""
        self._value = (value,)
        self._fresh_until = self._clock() + self._max_age

    async def _loaded(self) -> T:
        try:
            self.put(await self._load())
        except SecretsUnavailable:
            if self._value is None:
                raise
            # Otherwise every request of an outage would wait for the same timeout.
            self._fresh_until = self._clock() + _RETRY_SECONDS
        assert self._value is not None
        return self._value[0]
