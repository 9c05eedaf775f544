"""The account of an organization: its credits, and who listens to its runs (decision 0023)."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from shared.model.credits import micro
from shared.model.document import Document
from shared.model.plans import ALLOWANCES, Plan


class CreditPolicy(StrEnum):
    """What becomes of new runs once no credits are left (decision: credits exhausted)."""

    BLOCK = "block"
    RECORD = "record"


class Account(Document):
    """An organization's account. Amounts are micro-credits.

    ``balance`` is the sum of the ledger entries that are settled. ``used`` is what the period's runs cost.
    """

    organization_id: str
    plan: Plan = Plan.FREE
    policy: CreditPolicy = CreditPolicy.BLOCK
    period: str
    """The month the grant is of: ``2026-11``."""
    granted: int = 0
    balance: int = 0
    used: int = 0
    alerts: list[int] = []
    """Levels, in percent of the grant, that were announced in this period; each once, whatever comes back."""
    exhausted: bool = False
    """Whether no new runs are accepted, and the organization's installations are to say so."""
    flagged: bool = False
    """Whether they do say so; what differs is made the same by a task."""
    subscriptions: list[str] = []
    """Types of events that somebody listens to."""


def period_of(moment: datetime) -> str:
    """Return the month a moment is in, in UTC: ``2026-11``."""
    return moment.astimezone(UTC).strftime("%Y-%m")


def monthly_grant(plan: Plan) -> int:
    """Return the micro-credits that a plan grants each month."""
    return micro(ALLOWANCES[plan].credits_per_month)
