"""Secrets and their versions in SQLite. Payloads come and go sealed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import IntEnum

from infra.local.tasks.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS secrets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    etag INTEGER NOT NULL DEFAULT 1,
    created INTEGER NOT NULL,
    newest INTEGER NOT NULL DEFAULT 0,
    message BLOB NOT NULL           -- Secret message without etag and creation time
);
CREATE INDEX IF NOT EXISTS secrets_parent ON secrets (parent, id);
CREATE TABLE IF NOT EXISTS versions (
    secret_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    etag INTEGER NOT NULL DEFAULT 1,
    state INTEGER NOT NULL,
    created INTEGER NOT NULL,
    destroyed INTEGER NOT NULL DEFAULT 0,
    checked INTEGER NOT NULL,       -- 1 when the caller sent a checksum
    sealed BLOB,
    PRIMARY KEY (secret_id, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seal_check (sealed BLOB NOT NULL);
"""
_SECRET = "id, name, etag, created, newest, message"
_VERSION = "secret_id, number, etag, state, created, destroyed, checked"


class VersionState(IntEnum):
    """The numbers of SecretVersion.State."""

    ENABLED = 1
    DISABLED = 2
    DESTROYED = 3


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A row; times in microseconds since 1970, ``newest`` is the highest version number, 0 for none."""

    id: int
    name: str
    etag: int
    created: int
    newest: int
    message: bytes


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A row without its payload; times in microseconds since 1970."""

    secret_id: int
    number: int
    etag: int
    state: VersionState
    created: int
    destroyed: int
    checked: bool


class SecretStore:
    """Every query about secrets and versions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def seal_check(self) -> bytes | None:
        """Return the sealed text that proves the master key is the right one."""
        row = self._connection.execute("SELECT sealed FROM seal_check").fetchone()
        return None if row is None else bytes(row[0])

    def put_seal_check(self, sealed: bytes) -> None:
        """Store the text that later starts open."""
        self._connection.execute("INSERT INTO seal_check VALUES (?)", (sealed,))

    def insert(self, parent: str, name: str, message: bytes, now: int) -> bool:
        """Store a new secret; False when its name is taken."""
        return bool(
            self._connection.execute(
                "INSERT INTO secrets (parent, name, created, message) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (parent, name, now, message),
            ).rowcount
        )

    def get(self, name: str) -> StoredSecret | None:
        """Return the secret of that name."""
        row = self._connection.execute(f"SELECT {_SECRET} FROM secrets WHERE name = ?", (name,)).fetchone()
        return None if row is None else StoredSecret(*row)

    def page(self, parent: str, before: int, limit: int) -> list[StoredSecret]:
        """Return up to ``limit`` secrets, newest first, with ids below ``before``."""
        rows = self._connection.execute(
            f"SELECT {_SECRET} FROM secrets WHERE parent = ? AND id < ? ORDER BY id DESC LIMIT ?",
            (parent, before, limit),
        )
        return [StoredSecret(*row) for row in rows]

    def count(self, parent: str) -> int:
        """Return how many secrets lie under a parent."""
        query = "SELECT count(*) FROM secrets WHERE parent = ?"
        return int(self._connection.execute(query, (parent,)).fetchone()[0])

    def replace(self, secret_id: int, message: bytes) -> None:
        """Store a changed secret under its next etag."""
        self._connection.execute(
            "UPDATE secrets SET message = ?, etag = etag + 1 WHERE id = ?", (message, secret_id)
        )

    def delete(self, secret_id: int) -> None:
        """Delete a secret with all its versions."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM versions WHERE secret_id = ?", (secret_id,))
            connection.execute("DELETE FROM secrets WHERE id = ?", (secret_id,))

    def add_version(self, version: StoredVersion, sealed: bytes) -> None:
        """Store a new version, the newest of its secret."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO versions (secret_id, number, state, created, checked, sealed)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (version.secret_id, version.number, version.state, version.created, version.checked, sealed),
            )
            connection.execute(
                "UPDATE secrets SET newest = ? WHERE id = ?", (version.number, version.secret_id)
            )

    def version(self, secret_id: int, number: int) -> StoredVersion | None:
        """Return one version without its payload."""
        row = self._connection.execute(
            f"SELECT {_VERSION} FROM versions WHERE secret_id = ? AND number = ?", (secret_id, number)
        ).fetchone()
        return None if row is None else _version(row)

    def sealed(self, secret_id: int, number: int) -> bytes | None:
        """Return the sealed payload, None when it was destroyed."""
        row = self._connection.execute(
            "SELECT sealed FROM versions WHERE secret_id = ? AND number = ?", (secret_id, number)
        ).fetchone()
        return None if row is None else row[0]

    def versions(
        self, secret_id: int, before: int, state: VersionState | None, limit: int
    ) -> list[StoredVersion]:
        """Return up to ``limit`` versions, newest first, with numbers below ``before``."""
        rows = self._connection.execute(
            f"SELECT {_VERSION} FROM versions WHERE secret_id = ? AND number < ? AND (? IS NULL OR state = ?)"
            " ORDER BY number DESC LIMIT ?",
            (secret_id, before, state, state, limit),
        )
        return [_version(row) for row in rows]

    def count_versions(self, secret_id: int, state: VersionState | None) -> int:
        """Return how many versions a secret has, of one state or of all."""
        query = "SELECT count(*) FROM versions WHERE secret_id = ? AND (? IS NULL OR state = ?)"
        return int(self._connection.execute(query, (secret_id, state, state)).fetchone()[0])

    def set_state(self, version: StoredVersion, state: VersionState) -> None:
        """Give a version a state and its next etag; its payload stays."""
        self._connection.execute(
            "UPDATE versions SET state = ?, etag = etag + 1 WHERE secret_id = ? AND number = ?",
            (state, version.secret_id, version.number),
        )

    def destroy(self, version: StoredVersion, now: int) -> None:
        """Wipe a version's payload for good."""
        self._connection.execute(
            "UPDATE versions SET state = ?, destroyed = ?, sealed = NULL, etag = etag + 1"
            " WHERE secret_id = ? AND number = ?",
            (VersionState.DESTROYED, now, version.secret_id, version.number),
        )


def _version(row: sqlite3.Row) -> StoredVersion:
    secret_id, number, etag, state, created, destroyed, checked = row
    return StoredVersion(secret_id, number, etag, VersionState(state), created, destroyed, bool(checked))
