"""What the gateway's log says of the requests of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.session import Session


@dataclass(frozen=True, slots=True)
class Operations:
    """Firestore operations: read calls, documents they asked for, documents written."""

    round_trips: int
    reads: int
    writes: int

    def __add__(self, other: Operations) -> Operations:
        return Operations(
            self.round_trips + other.round_trips, self.reads + other.reads, self.writes + other.writes
        )


NOTHING = Operations(0, 0, 0)


def position(session: Session) -> int:
    """Return where the log ends now. The gateway writes a line before it answers."""
    return _log(session).stat().st_size


def operations_of(session: Session, execution_id: str, start: int) -> Mapping[str, list[Operations]]:
    """Return the operations of a run's requests logged since ``start``, by endpoint."""
    found: dict[str, list[Operations]] = {}
    for entry in entries(session, start):
        firestore = entry.get("firestore")
        if entry.get("executionId") != execution_id or not isinstance(firestore, dict):
            continue
        name = str(entry["message"]).split(" ")[0]
        operations = Operations(firestore["roundTrips"], firestore["reads"], firestore["writes"])
        found.setdefault(name, []).append(operations)
    return found


def entries(session: Session, start: int) -> Iterator[dict[str, object]]:
    """Yield the lines logged since ``start``, parsed."""
    with _log(session).open("rb") as file:
        # Emptied meanwhile, for it was too long: then everything in it is new.
        file.seek(start if start <= position(session) else 0)
        for line in file:
            if line.startswith(b"{") and line.endswith(b"}\n"):
                yield orjson.loads(line)


def _log(session: Session) -> Path:
    return session.stack.state / "logs" / "gateway.log"
