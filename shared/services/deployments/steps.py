"""Steps taken beside each other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable


async def all_of(coroutines: Iterable[Coroutine[object, object, None]]) -> None:
    """Await all, then raise the first failure: what succeeded beside it must be known for undoing."""
    results = await asyncio.gather(*coroutines, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
