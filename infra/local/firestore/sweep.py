"""Housekeeping in small bites: expired documents, old versions, forgotten transactions, the log file."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

from infra.local.firestore import encoding, names
from infra.local.firestore.encoding import encode
from infra.local.firestore.entries import expiry_prefix
from infra.local.firestore.service.backend import Backend
from infra.local.firestore.storage import Storage
from infra.local.firestore.store import RETENTION_MICROS
from infra.local.firestore.wire import Value, Write, timestamp

BATCH = 100
FOLD_SECONDS = 0.5
LONG_LOG_PAGES = 4000
_LOG = logging.getLogger("podium.local.firestore")


async def sweep_forever(backend: Backend, seconds: float) -> None:
    """Sweeps every ``seconds``, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await sweep(backend)
        except Exception:  # noqa: BLE001 - whatever happens, the next round must come
            _LOG.exception("housekeeping failed and is tried again")


async def fold_forever(storage: Storage, seconds: float = FOLD_SECONDS) -> None:
    """Keeps the write-ahead log short, with the disk work on another thread, until cancelled."""
    folded = -1
    while True:
        await asyncio.sleep(seconds)
        changes = storage.main.total_changes
        if changes == folded:
            continue
        try:
            folded = changes
            if await _folded(storage) > LONG_LOG_PAGES:
                storage.finish_log()
        except sqlite3.Error as error:
            _LOG.warning("folding the log failed and is tried again: %s", error)


async def _folded(storage: Storage) -> int:
    """The length of the log; cancelled, it waits for the disk, because the file is closed next."""
    folding = asyncio.ensure_future(asyncio.to_thread(storage.fold_log))
    try:
        return await asyncio.shield(folding)
    except asyncio.CancelledError:
        await asyncio.wait([folding])
        raise


async def sweep(backend: Backend) -> None:
    """One round; other requests are served between the bites."""
    backend.transactions.expire()
    for group, indexes in backend.catalogue.groups.items():
        for path in indexes.expiry:
            while delete_expired(backend, group, path, backend.store.clock.now()) == BATCH:
                await asyncio.sleep(0)
    until = backend.store.clock.now() - RETENTION_MICROS
    while backend.store.storage.forget_versions(until, BATCH) == BATCH:
        await asyncio.sleep(0)
    backend.store.storage.set_meta("clock", str(backend.store.clock.last))


def delete_expired(backend: Backend, group: str, path: str, now: int) -> int:
    """Deletes up to ``BATCH`` documents of a group whose expiry lies before ``now``; returns how many."""
    prefix = expiry_prefix(group, path)
    low = prefix + encoding.TIMESTAMP
    high = prefix + encode(Value(timestamp_value=timestamp(now)))
    found = backend.store.storage.main.execute(
        "SELECT d.name FROM entries e CROSS JOIN documents d ON d.id = e.document"
        " WHERE e.key >= ? AND e.key < ? ORDER BY e.key LIMIT ?",
        (low, high, BATCH),
    ).fetchall()
    for (name,) in found:
        backend.store.commit(names.place(name).root, [Write(delete=name)])
    backend.store.stats.expired += len(found)
    return len(found)
