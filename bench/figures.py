"""Measured values, what they are held against, and how they are written down."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | float | int


@dataclass(frozen=True, slots=True)
class Target:
    """A figure with its bound. ``reached`` and ``bound`` have the unit the text names."""

    what: str
    reached: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure keeps to its bound."""
        return self.reached >= self.bound if self.at_least else self.reached <= self.bound


@dataclass(frozen=True, slots=True)
class Section:
    """The outcome of one benchmark: how it was taken, a table, and targets."""

    name: str
    title: str
    how: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    targets: tuple[Target, ...]


def quantile(values: Sequence[float], q: float) -> float:
    """Return the ``q`` quantile (0 to 1), interpolated between the neighbouring values.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values were measured")
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    between = ordered[low] + (ordered[high] - ordered[low]) * (place - low)
    # Rounding may carry it past the neighbour.
    return min(between, ordered[high])


def median(values: Sequence[float]) -> float:
    """Return the middle value."""
    return statistics.median(values)


def rounded(value: float, digits: int = 1) -> float:
    """Return a value with as many digits as it deserves."""
    return round(value, digits)
