"""A private SQLite file: one connection on the event loop, checkpoints on a thread.

A statement takes tens of microseconds, less than handing it to a thread would. Only a checkpoint waits
for the disk, so that alone runs elsewhere. With WAL and ``synchronous=NORMAL`` whatever was committed
survives the death of the process; a power cut may lose the last moments but never corrupts the file.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

CHECKPOINT_SECONDS = 1.0
LONG_LOG_BYTES = 64 * 1024 * 1024


def create_private(path: Path) -> None:
    """Create an empty file only its owner may read (mode 0600) unless it exists; tighten it if it does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)


class Database:
    """One SQLite file in WAL mode; :attr:`connection` commits each statement by itself."""

    def __init__(self, path: Path, schema: str) -> None:
        create_private(path)
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "wal_autocheckpoint=0",
            "secure_delete=ON",
            "busy_timeout=5000",
            "temp_store=MEMORY",
        ):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.executescript(schema)
        self._checkpointed_at = -1

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run the statements of the block as one: all of them are kept, or none."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    async def keep_log_short(self) -> None:
        """Move the write-ahead log into the file now and then; runs until cancelled."""
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            if self.connection.total_changes == self._checkpointed_at:
                continue
            self._checkpointed_at = self.connection.total_changes
            await asyncio.to_thread(self._checkpoint)
            # Under constant writing the log never ends a checkpoint empty and would grow for ever;
            # what is left after the passive one is little, so this pause is short.
            if self._log_bytes() > LONG_LOG_BYTES:
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _checkpoint(self) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _log_bytes(self) -> int:
        log = self.path.with_name(self.path.name + "-wal")
        return log.stat().st_size if log.exists() else 0

    def close(self) -> None:
        """Close the file; SQLite empties the log into it."""
        self.connection.close()
