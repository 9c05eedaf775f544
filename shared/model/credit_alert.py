"""That a share of a month's credits is gone, and whom that was mailed to (platform §17)."""

from __future__ import annotations

from datetime import datetime

from shared.model.account import CreditPolicy
from shared.model.document import Document
from shared.model.plans import Plan


class CreditAlert(Document):
    """One alert; there is one a month and level. Amounts are micro-credits, as they were then."""

    organization_id: str
    period: str
    percent: int
    granted: int
    balance: int
    plan: Plan
    policy: CreditPolicy
    created_at: datetime
    mailed_to: list[str] = []
    """Users whose mail was taken."""
    mailing_until: datetime | None = None
    """Somebody is at work until then; if they die, the next one goes on."""
    mailed: bool = False
    """Whether everybody who is to be told was told."""
