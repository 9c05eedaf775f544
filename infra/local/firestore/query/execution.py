"""From plans to a stream of results: union of alternatives, moments in the past, offset and limit."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from infra.local.firestore import names
from infra.local.firestore.entries import BY_NAME, prefix
from infra.local.firestore.names import END, Place, path_key
from infra.local.firestore.query.model import Query
from infra.local.firestore.query.plans import Lookup, Plan, Scan
from infra.local.firestore.query.reader import Reader, document
from infra.local.firestore.query.scan import rows
from infra.local.firestore.storage import Row
from infra.local.firestore.store import Store, parsed


class Hit(NamedTuple):
    """A result and the bytes that place it among the others."""

    sort_key: bytes
    row: Row


def results(
    store: Store, reader: Reader, query: Query, plans: Sequence[Plan], at: int | None = None
) -> Iterator[Row]:
    """The results of a query in order, read lazily; as of ``at`` microseconds when given."""
    found = _stream(store, reader, query, plans, at)
    end = None if query.limit is None else query.offset + query.limit
    return islice(found, query.offset, end)


def _stream(
    store: Store, reader: Reader, query: Query, plans: Sequence[Plan], at: int | None
) -> Iterator[Row]:
    past = at is not None and store.changed_at > at
    if not past and len(plans) == 1 and isinstance(plans[0], Scan):
        return (row for _, row in _filtered(reader, plans[0]))
    if not past and _comparable(plans):
        streams = [_filtered(reader, plan) for plan in plans if isinstance(plan, Scan)]
        return _union(streams, backwards=_backwards(plans))
    computed = [_computed(reader, query, plan, at if past else None) for plan in plans]
    if past and at is not None:
        computed.append(iter(_replaced(store, query, at)))
    return _union(computed, backwards=False)


def _backwards(plans: Sequence[Plan]) -> bool:
    return any(isinstance(plan, Scan) and plan.backwards for plan in plans)


def _comparable(plans: Sequence[Plan]) -> bool:
    """Whether the stored keys of all plans place the results, so that no document need be decoded."""
    scans = [plan for plan in plans if isinstance(plan, Scan)]
    return len(scans) == len(plans) and len({plan.shape for plan in scans}) == 1


def _filtered(reader: Reader, scan: Scan) -> Iterator[Hit]:
    found = rows(reader, scan)
    if not scan.residual:
        return (Hit(suffix, row) for suffix, row in found)
    return (Hit(suffix, row) for suffix, row in found if _fits(scan, row))


def _fits(plan: Plan, row: Row) -> bool:
    name_key = path_key(path_of(row)) + END
    fields = parsed(row).fields
    return all(condition.holds(name_key, fields) for condition in plan.residual)


def _computed(reader: Reader, query: Query, plan: Plan, at: int | None) -> Iterator[Hit]:
    """The results of a plan with sort keys made from the documents; without what is newer than ``at``."""
    if isinstance(plan, Lookup):
        found = _looked_up(reader, query, plan)
    else:
        found = (row for _, row in _filtered(reader, plan))
    for row in found:
        if at is None or row.updated <= at:
            hit = _hit(query, row)
            if hit is not None:
                yield hit


def _looked_up(reader: Reader, query: Query, plan: Lookup) -> Iterator[Row]:
    row = document(reader, prefix(query.source.root, BY_NAME) + plan.name_key)
    if row is not None and query.source.covers(names.place(row.name)) and _fits(plan, row):
        yield row


def _hit(query: Query, row: Row) -> Hit | None:
    """A document as a result: None when a column of the order is missing or a cursor excludes it."""
    sort_key = query.sort_key(path_of(row), parsed(row).fields)
    return None if sort_key is None or not query.between_cursors(sort_key) else Hit(sort_key, row)


def _replaced(store: Store, query: Query, at: int) -> list[Hit]:
    """The results among the versions that were current at ``at`` and have been replaced since."""
    hits = []
    for row in store.storage.versions(at):
        if query.source.covers(names.place(row.name)) and query.selects(path_of(row), parsed(row).fields):
            hit = _hit(query, row)
            if hit is not None:
                hits.append(hit)
    return sorted(hits, key=lambda hit: hit.sort_key)


def _union(streams: Sequence[Iterator[Hit]], *, backwards: bool) -> Iterator[Row]:
    """The streams merged in order, without repetitions, which always are neighbours."""
    last = ""
    for hit in heapq.merge(*streams, key=lambda hit: hit.sort_key, reverse=backwards):
        if hit.row.name != last:
            last = hit.row.name
            yield hit.row


def path_of(row: Row) -> str:
    """The path of a stored document."""
    return row.name.partition("/documents/")[2]


@dataclass(slots=True)
class QueryFootprint:
    """What a query in a transaction looked at: everything, or all up to the last result."""

    query: Query
    last: bytes | None = None

    def covers(self, place: Place) -> bool:
        """Whether the document could be a result."""
        return self.query.source.covers(place)

    def shows(self, row: Row) -> bool:
        """Whether this version of a document lies in what was read."""
        fields = parsed(row).fields
        if not self.query.selects(path_of(row), fields):
            return False
        sort_key = self.query.sort_key(path_of(row), fields)
        if sort_key is None or not self.query.between_cursors(sort_key):
            return False
        return self.last is None or sort_key <= self.last
