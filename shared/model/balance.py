"""The arithmetic of an account: what entries, a new month and a policy make of it (platform §17). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from shared.model.account import Account, CreditPolicy, monthly_grant, period_of
from shared.model.ledger import EntryKind, LedgerEntry, day_of
from shared.model.plans import Plan

ALERT_LEVELS = (80, 100)
"""Percent of the month's grant that are gone when the organization is told.

What counts is what is left: credits given by hand delay an alert, credits taken hasten it.
"""

_USE = frozenset({EntryKind.CHARGE, EntryKind.REFUND})


def opened(organization_id: str, plan: Plan, now: datetime) -> tuple[Account, list[LedgerEntry]]:
    """Return a new account with its first grant, and that grant's entry."""
    empty = Account(organization_id=organization_id, plan=plan, period="")
    return renewed(empty, now)


def renewed(account: Account, now: datetime) -> tuple[Account, list[LedgerEntry]]:
    """Return an account at the beginning of a month, and the entries that bring it there.

    What was left, or owed, expires: each month begins with the plan's grant. The entries' ids follow from
    the month, so that it begins once.
    """
    period, grant = period_of(now), monthly_grant(account.plan)
    entries = [automatic(account.organization_id, EntryKind.GRANT, grant, f"{period}-grant", now)]
    if account.balance:
        expiry = automatic(
            account.organization_id, EntryKind.EXPIRY, -account.balance, f"{period}-expiry", now
        )
        entries.insert(0, expiry)
    following = {"period": period, "granted": grant, "balance": grant, "used": 0, "alerts": []}
    return account.model_copy(update=following), entries


def automatic(
    organization_id: str, kind: EntryKind, amount: int, entry_id: str, now: datetime
) -> LedgerEntry:
    """Return an entry of the platform's own that is written with the balance it changes."""
    return LedgerEntry(
        entry_id=entry_id,
        organization_id=organization_id,
        kind=kind,
        amount=amount,
        created_at=now,
        day=day_of(now),
        settled=True,
    )


def settled(account: Account, entries: Iterable[LedgerEntry]) -> Account:
    """Return an account to which entries were added."""
    added = list(entries)
    used = -sum(entry.amount for entry in added if entry.kind in _USE)
    balance = account.balance + sum(entry.amount for entry in added)
    return account.model_copy(update={"balance": balance, "used": account.used + used})


def brought_up(
    account: Account, entries: list[LedgerEntry], complete: bool, now: datetime
) -> tuple[Account, list[LedgerEntry]]:
    """Return an account after its oldest unsettled entries and, once it is due, the month's beginning.

    ``complete`` says that there are no further unsettled ones. What was spent in the month before counts
    there: the month begins behind the last entry of the one before.
    """
    current = period_of(now)
    if account.period >= current:
        return settled(account, entries), []
    before = [entry for entry in entries if entry.day[: len(current)] < current]
    account = settled(account, before)
    if not complete and len(before) == len(entries):
        return account, []
    account, written = renewed(account, now)
    return settled(account, entries[len(before) :]), written


def judged(account: Account) -> tuple[Account, list[int]]:
    """Return an account that knows whether it is exhausted, and the alert levels it newly reached."""
    exhausted = account.balance <= 0 and account.policy is CreditPolicy.BLOCK
    gone = account.granted - account.balance
    reached = [level for level in ALERT_LEVELS if gone * 100 >= level * account.granted > 0]
    new = [level for level in reached if level not in account.alerts]
    changes = {"exhausted": exhausted, "alerts": sorted({*account.alerts, *new})}
    return account.model_copy(update=changes), new


def is_far_from_empty(account: Account, cost: int) -> bool:
    """Return whether a run of that cost may be accepted without an exact look at the balance."""
    return account.balance > 100 * cost and 10 * account.balance > monthly_grant(account.plan)
