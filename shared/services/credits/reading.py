"""Read an organization's credits: balance, usage of days, pages of the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from shared.model.account import Account, period_of
from shared.model.ledger import EntryKind, LedgerEntry
from shared.model.usage import DailyUsage
from shared.services.credits.gate import exact_balance
from shared.services.credits.settle import settle
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import below, find

MOST_DAYS = 31
MOST = 100
"""Entries of a page."""


async def balance(platform: Platform, organization_id: str) -> tuple[Account, int]:
    """Return the account, and its balance in micro-credits with all that was charged by now.

    Raises:
        NotFound (``ORGANIZATION_NOT_FOUND``).
    """
    reference = refs.account(organization_id)
    found = await platform.store.get(reference)
    if found is None or found.value.period != period_of(platform.sources.now()):
        await settle(platform, organization_id)
        found = await platform.store.get(reference)
    assert found is not None, "settling opened it"
    return found.value, await exact_balance(platform, found)


async def usage(platform: Platform, organization_id: str, start: str, end: str) -> list[DailyUsage]:
    """Return the days from ``start`` to ``end`` on which something was charged, at most a month of them."""
    days = below(refs.organization(organization_id), "creditUsage", DailyUsage)
    query = days.where("day", ">=", start).where("day", "<=", end).oldest_first("day").at_most(MOST_DAYS)
    return [found.value for found in await find(platform.store, query)]


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first. ``following`` is where the next page starts, unless this is the last."""

    entries: list[LedgerEntry]
    following: str | None


async def ledger(
    platform: Platform, organization_id: str, *, kind: EntryKind | None, after: str | None, limit: int
) -> Page:
    """Return a page of the ledger. ``after`` is the ``following`` of the page before."""
    size = min(limit, MOST)
    query = below(refs.organization(organization_id), "ledger", LedgerEntry)
    if kind is not None:
        query = query.where("kind", "==", kind.value)
    query = query.newest_first("created_at").newest_first("entry_id")
    if after is not None:
        last = await platform.store.get(refs.ledger_entry(organization_id, after))
        if last is None:
            return Page([], None)
        query = query.after(last.value.created_at, last.value.entry_id)
    # One more than asked for tells whether there is a next page.
    found = await find(platform.store, query.at_most(size + 1))
    entries = [entry.value for entry in found]
    return Page(entries[:size], entries[size - 1].entry_id if len(entries) > size else None)
