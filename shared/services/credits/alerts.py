"""Tell that a share of the month's credits is used: once a month and level (platform §17)."""

from __future__ import annotations

from collections.abc import Iterable

from shared.model.account import Account
from shared.model.audit import AuditAction
from shared.model.credits import in_credits
from shared.services.audit import audited
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
