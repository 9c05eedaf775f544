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
    """What a plan grants: credits each month, how many members an organization may have, its part of an n8n.

    ``n8n_share`` (0 to 1) is how much of what a shared n8n bears one organization may take (decision 0025).
    """

    credits_per_month: int
    seats: int
    n8n_share: float
    run_days: int = 365
    """Days that a run is kept after its end, with what it was given and returned (decision 0026)."""


ALLOWANCES: dict[Plan, Allowance] = {
    Plan.FREE: Allowance(credits_per_month=200, seats=2, n8n_share=0.125, run_days=30),
    Plan.PRO: Allowance(credits_per_month=10_000, seats=5, n8n_share=0.25, run_days=90),
    Plan.BUSINESS: Allowance(credits_per_month=50_000, seats=10, n8n_share=0.5, run_days=180),
    Plan.ENTERPRISE: Allowance(credits_per_month=200_000, seats=50, n8n_share=0.5),
}
"""What each plan grants; an enterprise contract may add seats to its own."""
