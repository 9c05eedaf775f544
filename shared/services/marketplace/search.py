"""Finding published processes: newest first, and only what is shown to the caller (decision 0017).

The database is asked for one term at most; the others are looked for in what it returns, of which a page
reads no more than :data:`MOST_READ`. A page may therefore be short of what was asked for and still have a
next one.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from shared.errors import InvalidRequest
from shared.model.apikey import ApiKey
from shared.model.listing import Listing
from shared.services.marketplace.audiences import Viewer, joined
from shared.services.marketplace.terms import terms_of, wanted_terms
from shared.services.marketplace.viewer import viewer_of, with_teams
from shared.services.platform import Platform
from shared.store.query import MOST_ENTRIES, find, offered_to

MOST = 100
"""Listings of a page."""

MOST_READ = 500
"""Listings that are looked at for one."""

_Place = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. ``cursor`` is the ``following`` of the page before."""

    q: str = ""
    tags: tuple[str, ...] = ()
    cursor: str | None = None
    limit: int = 20
    organization_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some listings. ``following`` is where the next page starts, unless this is the last."""

    listings: list[Listing]
    following: str | None


async def search(platform: Platform, key: ApiKey, wanted: Search) -> Page:
    """Return a page of what the caller may see and looks for.

    Raises:
        Forbidden, NotFound, InvalidRequest: as :func:`viewer_of`; or the cursor is none of ours.
    """
    after = _place(wanted.cursor) if wanted.cursor else None
    viewer = await with_teams(platform, await viewer_of(platform, key, wanted.organization_id))
    terms = wanted_terms(wanted.q, wanted.tags)
    entries = _entries(viewer, terms[0] if terms else None)
    limit, read = min(wanted.limit, MOST), 0
    found: list[Listing] = []
    while True:
        # One more than asked for tells whether there is a next page.
        size = min(MOST, MOST_READ - read) if terms[1:] else limit + 1 - len(found)
        batch = await _batch(platform, entries, size, after)
        for listing in batch:
            after = (listing.published_at, listing.process_id)
            if viewer.sees(listing) and _fits(listing, terms):
                found.append(listing)
                if len(found) > limit:
                    return Page(found[:limit], _cursor(_place_of(found[limit - 1])))
        read += len(batch)
        if len(batch) < size:
            return Page(found, None)
        if read >= MOST_READ and after is not None:
            return Page(found, _cursor(after))


def _entries(viewer: Viewer, term: str | None) -> list[str]:
    return [*(joined(audience, term) for audience in viewer.wide), *viewer.narrow]


async def _batch(
    platform: Platform, entries: Sequence[str], size: int, after: _Place | None
) -> list[Listing]:
    """Return the next listings: one query, more only for somebody in dozens of teams."""
    parts = [entries[at : at + MOST_ENTRIES] for at in range(0, len(entries), MOST_ENTRIES)]
    pages = await asyncio.gather(*(_part(platform, part, size, after) for part in parts))
    merged = {listing.process_id: listing for page in pages for listing in page}
    return sorted(merged.values(), key=_place_of, reverse=True)[:size]


async def _part(platform: Platform, entries: Sequence[str], size: int, after: _Place | None) -> list[Listing]:
    query = offered_to(Listing, entries).newest_first("published_at").newest_first("process_id")
    query = query if after is None else query.after(*after)
    return [found.value for found in await find(platform.store, query.at_most(size))]


def _fits(listing: Listing, terms: Sequence[str]) -> bool:
    known = terms_of(listing.title, listing.subtitle, listing.description, listing.tags)
    return set(terms) <= set(known)


def _place_of(listing: Listing) -> _Place:
    return (listing.published_at, listing.process_id)


def _cursor(place: _Place) -> str:
    published_at, process_id = place
    return base64.urlsafe_b64encode(orjson.dumps([published_at.isoformat(), process_id])).decode()


def _place(cursor: str) -> _Place:
    try:
        published_at, process_id = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
        moment = datetime.fromisoformat(published_at)
    except (ValueError, TypeError, binascii.Error):
        moment, process_id = None, None
    if moment is None or moment.tzinfo is None or not isinstance(process_id, str):
        raise InvalidRequest("cursor is not one of ours: take it from the page before.", field="cursor")
    return (moment, process_id)
