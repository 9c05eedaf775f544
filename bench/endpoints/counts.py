"""What the gateway's log says one request cost in Firestore."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bench.api import CallFailed
from bench.endpoints.desk import Answered
from bench.log_lines import entries
from bench.session import Session


@dataclass(frozen=True, slots=True)
class Counts:
    """Firestore operations of one request."""

    round_trips: int
    reads: int
    writes: int
    queries: int


async def counts_of(session: Session, answered: Answered, start: int) -> Counts:
    """Return the operations of a request that was sent when the log ended at ``start``."""
    for _ in range(100):
        for entry in entries(session, start):
            firestore = entry.get("firestore")
            if entry.get("requestId") == answered.request_id and isinstance(firestore, dict):
                names = ("roundTrips", "reads", "writes", "queries")
                return Counts(*(int(firestore[name]) for name in names))
        await asyncio.sleep(0.02)
    raise CallFailed(f"request {answered.request_id} was not logged")
