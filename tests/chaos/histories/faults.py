"""What goes wrong in a history: decided by its seed, counted, and over at a moment."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.chaos.histories.virtual import VirtualLoop

COMMON: Mapping[str, float] = {
    "store: slow": 0.02,
    "store: unavailable": 0.015,
    "store: answer lost": 0.02,
    "store: no answer in time": 0.005,
    "queue: slow": 0.02,
    "queue: unavailable": 0.02,
    "queue: answer lost": 0.03,
    "queue: no answer in time": 0.02,
    "queue: delivered late": 0.15,
    "queue: delivered twice": 0.15,
    "queue: delivered after its end": 0.05,
    "n8n: not reached": 0.05,
    "n8n: broke off before it had it": 0.02,
    "n8n: answer lost": 0.06,
    "n8n: answers late": 0.06,
    "n8n: held back": 0.10,
    "n8n: api refuses": 0.05,
    "report: not sent": 0.06,
    "report: answer lost": 0.06,
    "receiver: not reached": 0.05,
    "receiver: refuses": 0.05,
    "receiver: answer lost": 0.06,
    "receiver: answers late": 0.03,
    "platform: killed at a point": 0.02,
    "platform: killed before a call": 0.004,
    "platform: killed after a call": 0.004,
}
"""How likely each kind is whenever it could happen."""

KILLS = 6
"""Processes of the platform killed in a history at most."""


@dataclass
class Faults:
    """The dice of a history. No seed tries every kind: some weather is stormy, some has one cloud."""

    loop: VirtualLoop
    chance: random.Random
    ends: float
    likely: dict[str, float] = field(default_factory=dict)
    injected: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        storm = self.chance.choice((0.3, 1.0, 1.0, 3.0))
        self.likely = {kind: min(0.6, p * storm) for kind, p in COMMON.items() if self.chance.random() < 0.7}

    def strikes(self, kind: str) -> bool:
        """Whether it happens here; it is counted then."""
        if self.loop.elapsed >= self.ends or self.chance.random() >= self.likely.get(kind, 0):
            return False
        if kind.startswith("platform:") and sum(self._kills()) >= KILLS:
            return False
        self.injected[kind] += 1
        return True

    def between(self, least: float, most: float) -> float:
        """Seconds."""
        return self.chance.uniform(least, most)

    def _kills(self) -> list[int]:
        return [times for kind, times in self.injected.items() if kind.startswith("platform:")]
