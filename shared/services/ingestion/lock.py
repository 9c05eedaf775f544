"""One deploy of a process's data ingestion at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.model.project import Process
from shared.store import refs
from shared.store.store import Found, Patch, Write

LOCKED_FOR = timedelta(minutes=10)
"""After this long a process may be taken, whatever became of its holder."""


def is_locked(process: Process, now: datetime, besides: str | None = None) -> bool:
    """Return whether a data ingestion other than ``besides`` holds the process."""
    if process.ingesting is None or process.ingesting == besides or process.ingesting_until is None:
        return False
    return now < process.ingesting_until


def held_by(data_ingestion_id: str, now: datetime) -> dict[str, object]:
    """Return the fields of a process that is held from now on."""
    return {"ingesting": data_ingestion_id, "ingesting_until": now + LOCKED_FOR}


def locking(process: Found[Process], data_ingestion_id: str, now: datetime) -> Write:
    """Return what takes the process; fails if it changed meanwhile."""
    return Patch(process.ref, held_by(data_ingestion_id, now), process.update_time)


def unlocking(process_id: str, **others: object) -> Write:
    """Return what lets the process go, and changes ``others`` of its fields."""
    return Patch(refs.process(process_id), {"ingesting": None, "ingesting_until": None, **others})


def leaving(process_id: str, now: datetime) -> Write:
    """Return what lets the process be taken by one who knows that the holder left something to clear."""
    return Patch(refs.process(process_id), {"ingesting_until": now})
