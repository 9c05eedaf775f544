"""How much is measured: enough to see something, or enough to say something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Size:
    """The counts of one run of all benchmarks."""

    name: str
    pairs: int
    """Triggers and direct calls whose latency is taken, one after the other."""
    rounds: int
    """Repetitions of the throughput measurement."""
    direct_calls: int
    """Direct calls of n8n per round."""
    triggers: int
    """Triggers per round."""
    runs: int
    """Runs followed from trigger to result."""
    earlier_runs: int
    """Earlier runs of the instance in the larger of two measurements; the smaller has ten."""
    counted_runs: int
    """Runs whose operations are counted, with few and with many earlier runs."""
    deploys: int
    """Projects deployed, each by the platform and by bare calls."""
    rewrapped_rows: int
    """Rows with a stored secret that a rotation walks through."""
    endpoint_calls: int
    """Calls of each endpoint."""
    page_calls: int
    """Calls of each page of a list, at each length."""
    list_lengths: tuple[int, ...]
    """Lengths of lists that are held against lists of a hundred."""
    starts: int
    """Later starts of the stack."""
    cold_start: bool
    """Whether a start with nothing installed is measured: minutes, and downloads."""
    fan_out: int
    """Installations that a version is rolled out to."""
    fan_outs: tuple[int, ...]
    """Sizes of rollouts whose costs are held against each other, the smallest first."""
    quiet_runs: int = 30
    """Runs of a quiet tenant that are followed in a round, alone and beside a flood."""
    backlog: int = 120
    """Runs that wait in a flooding tenant's lane when the quiet tenant begins."""
    fed: float = 25
    """Runs a second that the flooding tenant adds."""
    fair_rounds: int = 2
    """Repetitions of the comparison of a quiet tenant alone and beside a flood."""


SIZES: Mapping[str, Size] = {
    size.name: size
    for size in (
        Size("small", 40, 1, 80, 160, 20, 5_000, 20, 3, 10_000, 16, 30, (2_000,), 1, False, 60, (30, 240)),
        Size(
            *("full", 300, 3, 100, 200, 100, 100_000, 100, 10, 10_000, 40, 60, (10_000, 100_000), 2, True),
            fan_out=1_000,
            fan_outs=(100, 1_000, 10_000),
            quiet_runs=60,
            backlog=300,
            fair_rounds=3,
        ),
    )
}


def size_of(name: str, engine: str) -> Size:
    """Return the counts for an expression engine: the isolated one serves a fifth of the runs in a second."""
    size = SIZES[name]
    return size if engine == "legacy" else replace(size, rounds=1, pairs=max(20, size.pairs // 3))
