"""Failures that are injected: which call meets which is told by a seed, however calls are interleaved."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What becomes of a call."""

    BROKEN = "500"
    """An answer of 500, nothing done."""
    BUSY = "429"
    """An answer of 429, nothing done."""
    CUT = "cut"
    """The connection is closed, nothing done."""
    CUT_AFTER = "cut after commit"
    """It is done, and the connection closed without an answer."""
    LATE = "late"
    """It is done, and answered when nobody waits any more."""
    REFUSED = "refused"
    """A publication is refused as one with an unknown node is."""


LATE_SECONDS = 31.0
"""Longer than the platform waits for n8n."""

_ANY = {Fault.BROKEN: 25, Fault.BUSY: 25, Fault.CUT: 20, Fault.CUT_AFTER: 28, Fault.LATE: 2}
_WEIGHTS: Mapping[str, Mapping[Fault, int]] = {"publish": {**_ANY, Fault.REFUSED: 25}}


@dataclass(slots=True)
class Faults:
    """Injects failures into ``rate`` of the calls (0 to 1)."""

    rate: float = 0.0
    seed: int = 0
    late: bool = True
    """Whether calls may be answered late, which takes half a minute each."""
    injected: Counter[str] = field(default_factory=Counter)
    _seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def of(self, kind: str, subject: str) -> Fault | None:
        """Return what the next call of a kind about a workflow meets."""
        if not self.rate:
            return None
        self._seen[kind, subject] += 1
        text = f"{self.seed}:{kind}:{subject}:{self._seen[kind, subject]}"
        drawn = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
        if drawn >= self.rate:
            return None
        fault = self._chosen(_WEIGHTS.get(kind, _ANY), drawn / self.rate)
        self.injected[f"{kind}: {fault}"] += 1
        return fault

    def _chosen(self, weights: Mapping[Fault, int], share: float) -> Fault:
        kept = {fault: weight for fault, weight in weights.items() if self.late or fault is not Fault.LATE}
        left = share * sum(kept.values())
        for fault, weight in kept.items():
            left -= weight
            if left < 0:
                return fault
        return Fault.BROKEN
