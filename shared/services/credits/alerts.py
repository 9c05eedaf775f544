"""Tell that a share of the month's credits is used: once a month and level (platform §17)."""

from __future__ import annotations

from collections.abc import Iterable

from shared.model.account import Account
from shared.model.audit import AuditAction
from shared.model.credits import in_credits
from shared.model.events import EventType
from shared.services.audit import audited
from shared.services.events.announce import Announcement, announced
from shared.services.platform import Platform
from shared.store.store import Write

_PLATFORM = "platform"
"""The actor in the audit log of what nobody asked for."""


def told(platform: Platform, account: Account, levels: Iterable[int]) -> list[Write]:
    """Return what is written, with the account itself, when its use reached these levels (in percent)."""
    return [
        audited(
            platform,
            _PLATFORM,
            AuditAction.CREDITS_RUN_LOW if level < 100 else AuditAction.CREDITS_EXHAUSTED,
            account.organization_id,
            account.organization_id,
            percent=level,
            balance=in_credits(account.balance),
        )
        for level in levels
    ]


def announced_levels(platform: Platform, account: Account, levels: Iterable[int]) -> list[Announcement]:
    """Return the events of reaching these levels, if anybody listens to them; one a month and level."""
    found = [
        announced(
            platform,
            account.organization_id,
            EventType.CREDITS_LOW if level < 100 else EventType.CREDITS_EXHAUSTED,
            account.organization_id,
            {"percent": level, "period": account.period, "balance": in_credits(account.balance)},
            occasion=f"{account.period}-{level}",
        )
        for level in levels
    ]
    return [one for one in found if one.event.type.value in account.subscriptions]
