"""What never changes, loaded once per process however many ask for it at once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lasting(Generic[T]):
    """Keeps up to ``capacity`` things; what was not asked for the longest goes first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Hashable, asyncio.Task[T]] = OrderedDict()

    async def get(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """Return what has that key; the first one who asks loads it. A failure is not kept.

        Raises: what ``load`` raises.
        """
        loading = self._kept.get(key)
        if loading is None:
            loading = asyncio.ensure_future(_loaded(load))
            self._kept[key] = loading
            if len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        try:
            # Whoever gives up waiting does not take it from the others.
            return await asyncio.shield(loading)
        except Exception:
            if self._kept.get(key) is loading:
                del self._kept[key]
            raise


async def _loaded(load: Callable[[], Awaitable[T]]) -> T:
    return await load()
