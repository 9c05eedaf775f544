"""Who follows a process: its installations, found by their claims (decision 0017)."""

from __future__ import annotations

from datetime import datetime

from shared.model.listing import Installation
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import Query, below, find

PAGE = 200
"""Installations that are looked for at once."""


async def has_followers(platform: Platform, process_id: str, production_id: str | None) -> bool:
    """Return whether anybody installed a process besides its owner; one query of two documents."""
    found = await find(platform.store, _claims(process_id).at_most(2))
    return any(one.value.process_instance_id != production_id for one in found)


async def followers(
    platform: Platform, process_id: str, after: str | None, limit: int = PAGE
) -> list[Installation]:
    """Return the claims of a process's installations after one of them, the owner's included.

    They are in the order of their ids, which is that in which they were begun: new ones come last.
    """
    query = _claims(process_id).at_most(limit)
    found = await find(platform.store, query if after is None else query.after(after))
    return [one.value for one in found]


def first_id_at(moment: datetime) -> str:
    """Return what the ids of installations that were begun since a moment come after: a UUIDv7."""
    stamp = f"{max(0, int(moment.timestamp() * 1000)):012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7000-8000-000000000000"


def _claims(process_id: str) -> Query[Installation]:
    claims = below(refs.process(process_id), "installations", Installation)
    return claims.oldest_first("process_instance_id")
