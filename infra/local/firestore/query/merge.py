"""Reading several indexes at once: the documents that appear in all of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from infra.local.firestore.query.plans import Scan
from infra.local.firestore.query.reader import Reader, numbered
from infra.local.firestore.query.spans import Span, shifted
from infra.local.firestore.storage import Row

_MOST_STEPS = 16


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


def merged(reader: Reader, scan: Scan) -> Iterator[tuple[bytes, Row]]:
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
        row = numbered(reader, seekers[0].document)
        if row is not None:
            yield target, row
        target = seekers[0].seek(_beyond(target, backwards))


def _beyond(suffix: bytes, backwards: bool) -> bytes:
    """A target just behind ``suffix``, which ends in a zero byte, so that nothing lies between."""
    return suffix[:-1] if backwards else suffix + b"\x00"
