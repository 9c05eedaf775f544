"""How late a real n8n answers, and drawing from it.

``latencies.json`` holds quantiles in milliseconds of each kind of call, by how many updates were under way,
as :mod:`bench.standin.measure` took them from a real n8n.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

TABLE = Path(__file__).with_name("latencies.json")


@dataclass(slots=True)
class Latencies:
    """Draws seconds from measured quantiles. ``scale`` 0 answers at once."""

    quantiles: Mapping[str, Sequence[float]]
    random: random.Random
    scale: float = 1.0

    def of(self, kind: str) -> float:
        """Return how long the next call of a kind takes, in seconds."""
        return self._drawn(self.quantiles[kind]) if self.scale else 0.0

    def _drawn(self, quantiles: Sequence[float]) -> float:
        place = self.random.random() * (len(quantiles) - 1)
        low = int(place)
        high = min(low + 1, len(quantiles) - 1)
        milliseconds = quantiles[low] + (quantiles[high] - quantiles[low]) * (place - low)
        return milliseconds / 1000 * self.scale


def measured(at_once: int, seed: int) -> Latencies:
    """Return the latencies of a real n8n with so many updates under way.

    Raises:
        KeyError: it was not measured with that many.
    """
    table = orjson.loads(TABLE.read_bytes())
    return Latencies(table["milliseconds"][str(at_once)], random.Random(seed))
