"""The SQLite file: documents, index entries, the versions of the last minutes.

Synchronous writes go to the write-ahead log without waiting for the disk, so what was acknowledged
survives the death of the process, and the loss of power may cost the last moments. One connection writes;
readers that need longer than a moment take a connection of their own, which sees a snapshot.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

SCHEMA_VERSION = 1
_CACHE_KIB = 8 * 1024
_READER_CACHE_KIB = 1024
_IDLE_READERS = 4
_LOG_BYTES = 64 << 20

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, name TEXT NOT NULL,
    updated INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, document INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL, name TEXT NOT NULL,
    updated INTEGER NOT NULL, data BLOB NOT NULL, until INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS history_by_key ON history (key, until);
"""


class Row(NamedTuple):
    """A stored document. ``data`` is a serialized Document without its name, ``updated`` in microseconds."""

    id: int
    name: str
    updated: int
    data: bytes


class IncompatibleFile(Exception):
    """The data file was written by another version of the schema, or is no data file at all."""


class DataInUse(Exception):
    """Another server works on the data file."""


def _private(path: str, flags: int) -> int:
    """Opens a file that only its owner may read; SQLite gives its logs the same mode."""
    return os.open(path, flags, 0o600)


def _locked(path: Path) -> IO[bytes]:
    """The file beside ``path`` whose lock says that the data are in use; closing it gives them back."""
    lock = open(path.with_name(path.name + ".lock"), "ab", opener=_private)  # noqa: SIM115 - the opener
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise DataInUse(f"Another server works on {path.name}.") from error
    open(path, "ab", opener=_private).close()
    return lock


class Storage:
    """One data file."""

    def __init__(self, path: Path) -> None:
        """Opens or creates the file.

        Raises:
            IncompatibleFile: it holds something else.
            DataInUse: another server has it open.
        """
        self._path = path
        self.open_snapshots = 0
        self._idle: list[sqlite3.Connection] = []
        with ExitStack() as opened:
            lock = opened.enter_context(_locked(path))
            try:
                self.main = self._connect(_CACHE_KIB, opened)
                self._folder = self._connect(_READER_CACHE_KIB, opened)
                self._prepare()
            except sqlite3.DatabaseError as error:
                raise IncompatibleFile(f"{path.name} is no Firestore data file: {error}") from error
            opened.pop_all()
        self._lock = lock

    def _prepare(self) -> None:
        self.main.execute("PRAGMA synchronous = NORMAL")
        self.main.execute("PRAGMA wal_autocheckpoint = 0")
        self.main.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        self.main.executescript(_SCHEMA)
        version = self.meta("schema")
        if version not in (None, str(SCHEMA_VERSION)):
            name = self._path.name
            raise IncompatibleFile(f"{name} has schema {version}, this server knows {SCHEMA_VERSION}.")
        self.set_meta("schema", str(SCHEMA_VERSION))

    def _connect(self, cache_kib: int, opened: ExitStack | None = None) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        if opened is not None:
            opened.callback(connection.close)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection

    def close(self) -> None:
        """Closes every connection; the log is folded into the file."""
        for connection in (*self._idle, self._folder, self.main):
            connection.close()
        self._idle.clear()
        self._lock.close()

    def fold_log(self) -> int:
        """Copies what the log holds into the file; may run on another thread. Returns the log's pages."""
        row = self._folder.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return int(row[1])

    def finish_log(self) -> None:
        """Copies the rest, so that the log starts again at its beginning instead of growing."""
        self.main.execute("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: what is written inside is kept only when the block ends well."""
        self.main.execute("BEGIN IMMEDIATE")
        try:
            yield self.main
        except BaseException:
            self.main.execute("ROLLBACK")
            raise
        self.main.execute("COMMIT")

    def snapshot(self) -> sqlite3.Connection:
        """A connection that keeps seeing the state of this moment, until it is given to ``release``."""
        connection = self._idle.pop() if self._idle else self._connect(_READER_CACHE_KIB)
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM meta").fetchone()
        self.open_snapshots += 1
        return connection

    def release(self, connection: sqlite3.Connection) -> None:
        """Takes a snapshot back."""
        self.open_snapshots -= 1
        connection.execute("ROLLBACK")
        if len(self._idle) < _IDLE_READERS:
            self._idle.append(connection)
        else:
            connection.close()

    def meta(self, name: str) -> str | None:
        """A named setting of the file."""
        row: tuple[str] | None = self.main.execute(
            "SELECT value FROM meta WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else row[0]

    def set_meta(self, name: str, value: str) -> None:
        """Keeps a named setting."""
        self.main.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def get(self, key: bytes) -> Row | None:
        """The document with this key."""
        found = self.main.execute(
            "SELECT id, name, updated, data FROM documents WHERE key = ?", (key,)
        ).fetchone()
        return None if found is None else Row._make(found)

    def get_version(self, key: bytes, at: int) -> Row | None:
        """The replaced version of a document that was current at ``at`` microseconds, if it was replaced."""
        found = self.main.execute(
            "SELECT id, name, updated, data FROM history WHERE key = ? AND until > ? ORDER BY until LIMIT 1",
            (key, at),
        ).fetchone()
        return Row._make(found) if found is not None and found[2] <= at else None

    def versions(self, at: int) -> Iterator[Row]:
        """All replaced versions that were current at ``at``, newest replacement first."""
        cursor = self.main.execute("SELECT id, name, updated, data, until FROM history ORDER BY id DESC")
        for identifier, name, updated, data, until in cursor:
            if until <= at:
                return
            if updated <= at:
                yield Row(identifier, name, updated, data)

    def insert(self, key: bytes, name: str, updated: int, data: bytes) -> int:
        """Adds a document; returns its number."""
        cursor = self.main.execute(
            "INSERT INTO documents (key, name, updated, data) VALUES (?, ?, ?, ?)", (key, name, updated, data)
        )
        return cursor.lastrowid or 0

    def update(self, identifier: int, updated: int, data: bytes) -> None:
        """Replaces a document."""
        self.main.execute(
            "UPDATE documents SET updated = ?, data = ? WHERE id = ?", (updated, data, identifier)
        )

    def delete(self, identifier: int) -> None:
        """Removes a document."""
        self.main.execute("DELETE FROM documents WHERE id = ?", (identifier,))

    def keep_version(self, key: bytes, row: Row, until: int) -> None:
        """Remembers a version that ceased to be current at ``until``."""
        self.main.execute(
            "INSERT INTO history (key, name, updated, data, until) VALUES (?, ?, ?, ?, ?)",
            (key, row.name, row.updated, row.data, until),
        )

    def change_entries(self, identifier: int, removed: Iterable[bytes], added: Iterable[bytes]) -> None:
        """Removes and adds index entries of a document."""
        self.main.executemany("DELETE FROM entries WHERE key = ?", [(key,) for key in removed])
        self.main.executemany(
            "INSERT OR REPLACE INTO entries VALUES (?, ?)", [(key, identifier) for key in added]
        )

    def forget_versions(self, until: int, limit: int) -> int:
        """Drops up to ``limit`` versions that were replaced before ``until``; returns how many."""
        last = self.main.execute(
            "SELECT max(id), count(*) FROM (SELECT id, until FROM history ORDER BY id LIMIT ?)"
            " WHERE until < ?",
            (limit, until),
        ).fetchone()
        if last[0] is not None:
            self.main.execute("DELETE FROM history WHERE id <= ?", (last[0],))
        return int(last[1])
