"""Generating load: a fixed number of calls over a fixed number of connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def each(items: Sequence[T], at_once: int, do: Callable[[T], Awaitable[R]]) -> list[R]:
    """Return what ``do`` makes of each item, in order; ``at_once`` of them are under way at any time."""
    results: dict[int, R] = {}
    places = iter(range(len(items)))

    async def worker() -> None:
        for place in places:
            results[place] = await do(items[place])

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())
    return [results[place] for place in range(len(items))]


async def timed(awaitable: Awaitable[R]) -> tuple[float, R]:
    """Return how many milliseconds it took, and its result."""
    started = time.perf_counter()
    result = await awaitable
    return (time.perf_counter() - started) * 1000, result


async def rate(items: Sequence[T], at_once: int, do: Callable[[T], Awaitable[R]]) -> tuple[float, list[R]]:
    """Return how many items were done per second, and the results."""
    started = time.perf_counter()
    results = await each(items, at_once, do)
    return len(items) / (time.perf_counter() - started), results
