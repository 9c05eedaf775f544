"""Lazy reading of index ranges.

Rows come one by one out of a running SQL statement, so a query with a limit reads what it returns. The
connection may be exchanged between two rows (for a snapshot that outlives a pause of the query); the
statement then starts again behind the last row.
"""

from __future__ import annotations

from collections.abc import Iterator

from infra.local.firestore.query.merge import merged
from infra.local.firestore.query.plans import Scan
from infra.local.firestore.query.reader import Reader
from infra.local.firestore.query.spans import Span, shifted
from infra.local.firestore.storage import Row

_FROM = {
    False: "SELECT e.key, d.id, d.name, d.updated, d.data FROM entries e CROSS JOIN documents d"
    " ON d.id = e.document WHERE e.key >= ? AND e.key < ? ORDER BY e.key",
    True: "SELECT e.key, e.id, e.name, e.updated, e.data FROM documents e"
    " WHERE e.key >= ? AND e.key < ? ORDER BY e.key",
}


def rows(reader: Reader, scan: Scan) -> Iterator[tuple[bytes, Row]]:
    """The documents of a scan in its order, each with what follows the prefix in its key."""
    if len(scan.prefixes) > 1:
        return merged(reader, scan)
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
