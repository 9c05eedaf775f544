"""Plans as data: what an organization may use (platform §17)."""

from __future__ import annotations

from enum import StrEnum

from shared.model.document import Document


class Plan(StrEnum):
    """The name of a plan."""

    FREE = "free"
    PRO = "pro"
    BUSINESS = "business"
    ENTERPRISE = "enterprise"


class Allowance(Document):
    """What a plan grants: credits each month, and how many members an organization may have."""

    credits_per_month: int
    seats: int


ALLOWANCES: dict[Plan, Allowance] = {
    Plan.FREE: Allowance(credits_per_month=200, seats=2),
    Plan.PRO: Allowance(credits_per_month=10_000, seats=5),
    Plan.BUSINESS: Allowance(credits_per_month=50_000, seats=10),
    Plan.ENTERPRISE: Allowance(credits_per_month=200_000, seats=50),
}
"""What each plan grants; an enterprise contract may add seats to its own."""
