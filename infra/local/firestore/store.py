"""Reads and commits. Everything happens on one event loop, and nothing here waits, so a commit is atomic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from infra.local.firestore import limits, names, writes
from infra.local.firestore.clock import CommitClock
from infra.local.firestore.entries import Indexer, document_key
from infra.local.firestore.names import Place
from infra.local.firestore.refusal import unfit
from infra.local.firestore.storage import Row, Storage
from infra.local.firestore.wire import Document, Write, WriteResult, timestamp
from infra.local.firestore.writes import Draft

RETENTION_MICROS = 5 * 60 * 1_000_000


class Change(NamedTuple):
    """One document that a commit changed. ``row`` is what is stored now, None when it is gone."""

    place: Place
    name: str
    key: bytes
    row: Row | None
    at: int


class Committed(NamedTuple):
    """The outcome of a commit, ``at`` microseconds."""

    results: list[WriteResult]
    at: int


@dataclass(slots=True)
class Stats:
    """Counters since the start, for tests and measurements."""

    rows_read: int = 0
    entries_read: int = 0
    commits: int = 0
    aborts: int = 0
    expired: int = 0
    listeners: int = 0


Watcher = Callable[[Sequence[Change]], None]


@dataclass(slots=True)
class Store:
    """The documents of all databases of one data file."""

    storage: Storage
    indexer: Indexer
    clock: CommitClock
    stats: Stats = field(default_factory=Stats)
    watchers: list[Watcher] = field(default_factory=list)
    changed_at: int = 0

    def read(self, key: bytes, at: int | None = None) -> Row | None:
        """The document with this key, as of now or as of ``at`` microseconds."""
        row = self.storage.get(key)
        self.stats.rows_read += 1
        if at is None or (row is not None and row.updated <= at) or self.changed_at <= at:
            return row
        return self.storage.get_version(key, at)

    def check_moment(self, at: int) -> int:
        """``at`` when documents can still be read as of then.

        Raises:
            Refusal: FAILED_PRECONDITION when it is too long ago or in the future.
        """
        now = self.clock.now()
        if now - RETENTION_MICROS <= at <= now:
            return at
        minutes = RETENTION_MICROS // 60_000_000
        raise unfit(f"The requested read_time is in the future or more than {minutes} minutes ago.")

    def commit(self, root: str, requested: Iterable[Write]) -> Committed:
        """Applies all writes or none.

        Raises:
            Refusal: a precondition does not hold, or a write breaks a rule.
        """
        now = self.clock.tick()
        drafts: dict[str, Draft] = {}
        done: list[tuple[WriteResult, Draft]] = []
        for write in requested:
            name = writes.target(write)
            draft = drafts.get(name)
            if draft is None:
                draft = drafts[name] = self._draft(name, root)
            done.append((writes.apply(write, draft, now), draft))
        changed = {name: draft for name, draft in drafts.items() if draft.is_changed()}
        changes = self._install(list(changed.values()), now)
        for result, draft in done:
            if draft.after is not None and draft.written:
                at = now if draft.name in changed else draft.version
                result.update_time.CopyFrom(timestamp(at))
        self._announce(changes, now)
        return Committed([result for result, _ in done], now)

    def _draft(self, name: str, root: str) -> Draft:
        place = names.place(name)
        key = document_key(place)
        return writes.new_draft(name, root, self.storage.get(key), place, key)

    def _install(self, drafts: Sequence[Draft], now: int) -> list[Change]:
        """Writes changed documents to the disk."""
        plans = [(draft, self._serialize(draft, now), self._entries(draft)) for draft in drafts]
        changes = []
        if not plans:
            return []
        with self.storage.transaction():
            for draft, data, (removed, added) in plans:
                identifier = self._put(draft, data, now)
                self.storage.change_entries(identifier, removed, added)
                row = None if data is None else Row(identifier, draft.name, now, data)
                changes.append(Change(draft.place, draft.name, draft.key, row, now))
        return changes

    def _serialize(self, draft: Draft, now: int) -> bytes | None:
        document = draft.after
        if document is None:
            return None
        moment = timestamp(now)
        document.create_time.CopyFrom(moment if draft.before is None else draft.before.create_time)
        document.update_time.CopyFrom(moment)
        data = document.SerializeToString()
        limits.check_size(draft.place.path, document.fields, len(data))
        return data

    def _entries(self, draft: Draft) -> tuple[set[bytes], set[bytes]]:
        before = None if draft.before is None else draft.before.fields
        after = None if draft.after is None else draft.after.fields
        return self.indexer.difference(draft.place, before, after)

    def _put(self, draft: Draft, data: bytes | None, now: int) -> int:
        """Stores, replaces or removes one document and keeps the version it had; returns its number."""
        row = draft.row
        if row is not None:
            self.storage.keep_version(draft.key, row, now)
        if data is None:
            assert row is not None, "a document that never was cannot be deleted"
            self.storage.delete(row.id)
            return row.id
        if row is None:
            return self.storage.insert(draft.key, draft.name, now, data)
        self.storage.update(row.id, now, data)
        return row.id

    def _announce(self, changes: Sequence[Change], now: int) -> None:
        self.stats.commits += 1
        if not changes:
            return
        self.changed_at = now
        for watcher in tuple(self.watchers):
            watcher(changes)


def parsed(row: Row) -> Document:
    """The stored document as a message, without its name."""
    return Document.FromString(row.data)
