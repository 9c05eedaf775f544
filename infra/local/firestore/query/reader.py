"""The connection a query reads from, and how much it may read."""

from __future__ import annotations

import sqlite3

from infra.local.firestore.storage import Row
from infra.local.firestore.store import Stats


class OverBudget(Exception):
    """The query has read more than it may before giving others a turn."""


class Reader:
    """A connection that may be exchanged, the counters it feeds, and how much may still be read."""

    def __init__(self, connection: sqlite3.Connection, stats: Stats, budget: int | None = None) -> None:
        self.connection = connection
        self.stats = stats
        self.budget = budget

    def count_row(self) -> None:
        """Notes that a document was read.

        Raises:
            OverBudget: it was one too many.
        """
        self.stats.rows_read += 1
        self._spend()

    def count_entry(self) -> None:
        """Notes that an index entry was read; raises as ``count_row``."""
        self.stats.entries_read += 1
        self._spend()

    def _spend(self) -> None:
        if self.budget is not None:
            self.budget -= 1
            if self.budget < 0:
                raise OverBudget


def numbered(reader: Reader, identifier: int) -> Row | None:
    """The document with this number."""
    reader.count_row()
    sql = "SELECT id, name, updated, data FROM documents WHERE id = ?"
    found = reader.connection.execute(sql, (identifier,)).fetchone()
    return None if found is None else Row._make(found)


def document(reader: Reader, key: bytes) -> Row | None:
    """The document with this key."""
    reader.count_row()
    sql = "SELECT id, name, updated, data FROM documents WHERE key = ?"
    found = reader.connection.execute(sql, (key,)).fetchone()
    return None if found is None else Row._make(found)
