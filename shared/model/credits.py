"""Amounts of credits: whole micro-credits, so that sums are exact whatever a run costs (decision 0023)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

MICRO = 1_000_000
"""Micro-credits of one credit."""


def micro(credits: float) -> int:
    """Return an amount of credits in micro-credits, as its decimal digits say it: 0.02 is 20,000."""
    return int((Decimal(str(credits)) * MICRO).to_integral_value(ROUND_HALF_UP))


def in_credits(amount: int) -> int | float:
    """Return micro-credits as credits: a whole number where it is one."""
    whole, rest = divmod(amount, MICRO)
    return whole if rest == 0 else float(Decimal(amount) / MICRO)
