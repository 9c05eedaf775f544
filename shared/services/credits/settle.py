"""Add what was spent to the balance, off the path of runs (decision 0023).

    account ──► oldest unsettled entries ──► one commit: balance, usage of the days, entries marked

The commit is conditional on the account as it was read before the entries. Of any number of settlers each
entry is therefore counted by one, and a settler that dies has written everything or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.model.account import Account
from shared.model.balance import brought_up, judged
from shared.model.ledger import EntryKind, LedgerEntry
from shared.model.usage import DailyUsage, with_charges
from shared.services.credits.alerts import alerts
from shared.services.credits.opening import account_of
from shared.services.credits.queues import book, flag_task
from shared.services.faults import point
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Create, Found, Patch, Put, Write

PAGE = 200
"""Entries of one commit."""


async def settle(platform: Platform, organization_id: str) -> int:
    """Bring an account up to date; return how many entries were added. Begins the month if it is due.

    Raises:
        NotFound (``ORGANIZATION_NOT_FOUND``).
        Conflict (``TRY_AGAIN``): too many settlers at once; what they did is done.
    """
    total = 0
    while True:
        count = await until_undisturbed(lambda: _settle_page(platform, organization_id))
        total += count
        if count < PAGE:
            return total


async def _settle_page(platform: Platform, organization_id: str) -> int:
    found = await account_of(platform, organization_id)
    entries = await unsettled(platform, organization_id, PAGE)
    values = [entry.value for entry in entries]
    account, written = brought_up(found.value, values, len(entries) < PAGE, platform.sources.now())
    account, reached = judged(account)
    if account != found.value:
        changed = account.model_dump(exclude={"subscriptions", "flagged"})
        usage = await _used(platform, organization_id, values)
        point("credits.before_settling")
        telling = alerts(platform, account, reached)
        await telling.book(platform)
        await platform.store.commit(
            Patch(found.ref, changed, found.update_time),
            *(Patch(entry.ref, {"settled": True}, entry.update_time) for entry in entries),
            *(Create(refs.ledger_entry(organization_id, entry.entry_id), entry) for entry in written),
            *usage,
            *telling.writes,
        )
        point("credits.settled")
    await follow(platform, account)
    return len(entries)


async def unsettled(platform: Platform, organization_id: str, limit: int) -> list[Found[LedgerEntry]]:
    """Return the oldest entries that the balance does not contain."""
    entries = below(refs.organization(organization_id), "ledger", LedgerEntry)
    query = entries.where("settled", "==", False).oldest_first("created_at").at_most(limit)
    return await find(platform.store, query)


async def follow(platform: Platform, account: Account) -> None:
    """Have the installations say whether credits are left, if they say otherwise."""
    if account.exhausted is not account.flagged:
        await book(platform, flag_task(account.organization_id, platform.sources.now()))


async def _used(platform: Platform, organization_id: str, entries: Iterable[LedgerEntry]) -> list[Write]:
    charges = [entry for entry in entries if entry.kind is EntryKind.CHARGE]
    days = sorted({entry.day for entry in charges})
    if not days:
        return []
    references = [refs.daily_usage(organization_id, day) for day in days]
    known = await platform.store.fetch(*references)
    return [
        Put(reference, with_charges(found.value if found else DailyUsage(day=day), charges))
        for day, reference, found in zip(days, references, known, strict=True)
    ]
