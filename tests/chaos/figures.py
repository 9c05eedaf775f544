"""What a session of chaos came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """What became of runs."""

    accepted: int = 0
    succeeded: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """error code or message → runs"""
    lost: int = 0
    """Accepted runs that never ended, or ended as success without n8n having them."""
    doubled: int = 0
    """Triggers n8n has more than one run of."""
    mixed: int = 0
    """Runs that went through workflows of different versions."""

    def add(self, other: Figures) -> None:
        self.accepted += other.accepted
        self.succeeded += other.succeeded
        self.failed += other.failed
        self.lost += other.lost
        self.doubled += other.doubled
        self.mixed += other.mixed

    def __str__(self) -> str:
        failed = f", failed {dict(self.failed)}" if self.failed else ""
        return (
            f"{self.accepted} runs accepted: {self.succeeded} succeeded{failed}; "
            f"lost {self.lost}, doubled {self.doubled}, mixed {self.mixed}"
        )


@dataclass(slots=True)
class Tally:
    """The sums of a session."""

    kills: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    runs: dict[str, Figures] = field(default_factory=dict)

    def add(self, when: str, figures: Figures) -> None:
        self.runs.setdefault(when, Figures()).add(figures)

    def lines(self) -> list[str]:
        """Return the sums in words, a line each."""
        total = Figures()
        for figures in self.runs.values():
            total.add(figures)
        return [
            f"killed: {', '.join(f'{n} {what}' for what, n in self.kills.items())}",
            f"ended: {', '.join(f'{n} {what}' for what, n in self.outcomes.items())}",
            *(f"{when}: {figures}" for when, figures in self.runs.items()),
            f"all: {total}",
        ]
