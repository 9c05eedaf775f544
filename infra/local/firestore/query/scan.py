"""Lazy reading of index ranges.

Rows come one by one out of a running SQL statement, so a query with a limit reads what it returns. The
connection may be exchanged between two rows (for a snapshot that outlives a pause of the query); the
statement then starts again behind the last row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from infra.local.firestore.query.planner import Scan
from infra.local.firestore.query.spans import Span, shifted
from infra.local.firestore.storage import Row
from infra.local.firestore.store import Stats

_FROM = {
    False: "SELECT e.key, d.id, d.name, d.updated, d.data FROM entries e CROSS JOIN documents d"
    " ON d.id = e.document WHERE e.key >= ? AND e.key < ? ORDER BY e.key",
    True: "SELECT e.key, e.id, e.name, e.updated, e.data FROM documents e"
    " WHERE e.key >= ? AND e.key < ? ORDER BY e.key",
}
_MOST_STEPS = 16


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


def rows(reader: Reader, scan: Scan) -> Iterator[tuple[bytes, Row]]:
    """The documents of a scan in its order, each with what follows the prefix in its key."""
    if len(scan.prefixes) > 1:
        return _merged(reader, scan)
    return _ranges(reader, scan)


def _ranges(reader: Reader, scan: Scan) -> Iterator[tuple[bytes, Row]]:
    (prefix,) = scan.prefixes
    spans = shifted(scan.spans, prefix)
    sql = _FROM[scan.kindless] + (" DESC" if scan.backwards else "")
    for span in reversed(spans) if scan.backwards else spans:
        for key, *columns in _statement(reader, sql, span, scan.backwards):
            reader.count_row()
            yield key[len(prefix) :], Row._make(columns)


def _statement(
    reader: Reader, sql: str, span: Span, backwards: bool
) -> Iterator[tuple[bytes, int, str, int, bytes]]:
    low, high = span
    restart = True
    while restart:
        restart = False
        connection = reader.connection
        cursor = connection.execute(sql, (low, high))
        try:
            for row in cursor:
                yield row
                if reader.connection is not connection:
                    low, high = (low, row[0]) if backwards else (row[0] + b"\x00", high)
                    restart = True
                    break
        finally:
            cursor.close()


class _Seeker:
    """A position in one of several indexes that are merged."""

    def __init__(self, reader: Reader, prefix: bytes, span: Span, backwards: bool) -> None:
        self._reader = reader
        self._cut = len(prefix)
        self._prefix = prefix
        self._low, self._high = shifted((span,), prefix)[0]
        self._backwards = backwards
        self._patience = _MOST_STEPS // 4
        self._cursor: sqlite3.Cursor | None = None
        self._connection: sqlite3.Connection | None = None
        self.suffix: bytes | None = None
        self.document = 0

    def seek(self, target: bytes | None) -> bytes | None:
        """Goes to the first suffix at or behind ``target``; None when there is none."""
        if self._cursor is not None and self._connection is self._reader.connection:
            if self._steps_to(target):
                return self.suffix
        elif self._cursor is not None and self.suffix is None:
            return None
        self._open(target)
        return self._step()

    def _steps_to(self, target: bytes | None) -> bool:
        """Tries to get there step by step, with as much patience as has paid off lately."""
        for _ in range(self._patience + 1):
            if self.suffix is None or target is None or not self._is_before(self.suffix, target):
                self._patience = min(self._patience + 1, _MOST_STEPS)
                return True
            if self._patience:
                self._step()
        self._patience //= 2
        return False

    def close(self) -> None:
        if self._cursor is not None:
            self._cursor.close()

    def _is_before(self, suffix: bytes, target: bytes) -> bool:
        return suffix > target if self._backwards else suffix < target

    def _open(self, target: bytes | None) -> None:
        self.close()
        low, high = self._low, self._high
        if target is not None and self._backwards:
            high = min(high or b"\xff", self._prefix + target + b"\x00")
        elif target is not None:
            low = max(low, self._prefix + target)
        direction = "DESC" if self._backwards else "ASC"
        self._connection = self._reader.connection
        self._cursor = self._connection.execute(
            f"SELECT key, document FROM entries WHERE key >= ? AND key < ? ORDER BY key {direction}",
            (low, high),
        )

    def _step(self) -> bytes | None:
        assert self._cursor is not None, "a step follows an opening"
        row = self._cursor.fetchone()
        self._reader.count_entry()
        self.suffix = None if row is None else row[0][self._cut :]
        self.document = 0 if row is None else row[1]
        return self.suffix


def _merged(reader: Reader, scan: Scan) -> Iterator[tuple[bytes, Row]]:
    """The documents that appear in all indexes: every index leaps to where the furthest one stands."""
    for span in reversed(scan.spans) if scan.backwards else scan.spans:
        seekers = [_Seeker(reader, prefix, span, scan.backwards) for prefix in scan.prefixes]
        try:
            yield from _meetings(reader, seekers, scan.backwards)
        finally:
            for seeker in seekers:
                seeker.close()


def _meetings(reader: Reader, seekers: list[_Seeker], backwards: bool) -> Iterator[tuple[bytes, Row]]:
    """Where all meet. Who leaps furthest leads from then on, so the rarest value sets the pace."""
    target = seekers[0].seek(None)
    while target is not None:
        ahead = None
        for seeker in seekers:
            found = seeker.seek(target)
            if found is None:
                return
            if found != target:
                ahead, target = seeker, found
                break
        if ahead is not None:
            seekers.remove(ahead)
            seekers.insert(0, ahead)
            continue
        row = _numbered(reader, seekers[0].document)
        if row is not None:
            yield target, row
        target = seekers[0].seek(_beyond(target, backwards))


def _beyond(suffix: bytes, backwards: bool) -> bytes:
    """A target just behind ``suffix``, which ends in a zero byte, so that nothing lies between."""
    return suffix[:-1] if backwards else suffix + b"\x00"


def _numbered(reader: Reader, identifier: int) -> Row | None:
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


def count(reader: Reader, scan: Scan, limit: int | None) -> int:
    """How many entries a direct scan has, counted up to ``limit``."""
    (prefix,) = scan.prefixes
    total = 0
    table = "documents" if scan.kindless else "entries"
    for low, high in shifted(scan.spans, prefix):
        rest = -1 if limit is None else limit - total
        row = reader.connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE key >= ? AND key < ? LIMIT ?)",
            (low, high, rest),
        ).fetchone()
        total += int(row[0])
    reader.stats.entries_read += total
    return total
