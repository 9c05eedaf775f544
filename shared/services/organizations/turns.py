"""Taking turns, where a rule is about a set of documents: at most twenty keys, at least one owner.

A turn is read before the set, and rewritten in the commit that changes the set, on the condition that it
did not change in between. Of two changes at once the second fails and looks again; nobody waits for a lock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from shared.errors import Conflict
from shared.model.turn import Turn
from shared.store.errors import StoreConflict
from shared.store.refs import Ref
from shared.store.store import Create, Found, Patch, Write

_ATTEMPTS = 40

T = TypeVar("T")


def take(ref: Ref[Turn], found: Found[Turn] | None, now: datetime) -> Write:
    """Return the write that takes the turn as it was read."""
    if found is None:
        return Create(ref, Turn(taken_at=now))
    return Patch(ref, {"taken_at": now}, found.update_time)


async def until_undisturbed(attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what ``attempt`` returns, the first time that nothing changed under it.

    Raises:
        Conflict: it never came through.
    """
    for _ in range(_ATTEMPTS):
        try:
            return await attempt()
        except StoreConflict:
            continue
    raise Conflict("Too many changes at once. Try again in a moment.", code="TRY_AGAIN")
