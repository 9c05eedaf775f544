"""Counts Firestore operations per request, so that their cost shows in every request's log line."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Operations since the counter was opened.

    ``round_trips`` counts read calls, ``reads`` the documents they asked for.
    """

    round_trips: int = 0
    reads: int = 0
    writes: int = 0
    queries: int = 0


_current: ContextVar[Counts | None] = ContextVar("firestore_counts", default=None)


def open_counts() -> Counts:
    """Start counting for the current task and what it starts; return the live counter."""
    counts = Counts()
    _current.set(counts)
    return counts


def count(*, round_trips: int = 0, reads: int = 0, writes: int = 0, queries: int = 0) -> None:
    """Add to the current counter, if there is one."""
    if (counts := _current.get()) is not None:
        counts.round_trips += round_trips
        counts.reads += reads
        counts.writes += writes
        counts.queries += queries
