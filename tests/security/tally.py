"""How large the matrix was, for the last lines of a test run."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What was asked, and what came out."""

    endpoints: set[str] = field(default_factory=set)
    callers: set[str] = field(default_factory=set)
    requests: int = 0
    refused: int = 0
    leaks: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return one line."""
        return (
            f"isolation matrix: {len(self.endpoints)} endpoints x {len(self.callers)} callers, "
            f"{self.requests} requests, {self.refused} refused, {len(self.leaks)} leaks"
        )


TALLY = Tally()
