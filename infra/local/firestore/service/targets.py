"""What a listener watches: named documents or a query, and which of them it has been told of."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from infra.local.firestore import fields as field_paths
from infra.local.firestore import names
from infra.local.firestore.entries import document_key
from infra.local.firestore.names import Place
from infra.local.firestore.query.execution import path_of
from infra.local.firestore.query.model import Query
from infra.local.firestore.query.parse import parse_query
from infra.local.firestore.query.planner import plan
from infra.local.firestore.query.plans import Plan
from infra.local.firestore.query.run import slices
from infra.local.firestore.refusal import invalid
from infra.local.firestore.service.backend import Backend
from infra.local.firestore.storage import Row
from infra.local.firestore.store import Change, parsed
from infra.local.firestore.wire import Target


@dataclass(slots=True)
class Delta:
    """What a listener must be told: documents as they are, documents that are no results any more."""

    shown: list[Row] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.shown or self.hidden or self.deleted)


class Watched(Protocol):
    """A target of either kind."""

    projection: Sequence[field_paths.Path] | None

    def covers(self, place: Place) -> bool:
        """Whether a document of this name may matter."""

    async def start(self) -> Delta:
        """Everything there is to tell at the beginning."""

    async def follow(self, changes: Sequence[Change]) -> Delta:
        """What changes mean for it."""


def watched(target: Target, root: str, backend: Backend) -> Watched:
    """The target a listener asks for.

    Raises:
        Refusal: it is malformed, in another database, or its query needs an index that is missing.
    """
    kind = target.WhichOneof("target_type")
    if kind == "documents":
        return NamedDocuments(list(target.documents.documents), root, backend)
    if kind != "query" or target.query.WhichOneof("query_type") != "structured_query":
        raise invalid("A target names documents or a query.")
    query = parse_query(target.query.parent, target.query.structured_query)
    if query.source.root != root:
        raise invalid(f"The query is not about database {root!r}.")
    return QueryResults(query, plan(query, backend.catalogue), backend)


class NamedDocuments:
    """Documents by name. A missing one is told as deleted."""

    projection: Sequence[field_paths.Path] | None = None

    def __init__(self, document_names: list[str], root: str, backend: Backend) -> None:
        self._backend = backend
        self._keys = {name: document_key(names.place(name)) for name in document_names}
        if any(names.place(name).root != root for name in document_names):
            raise invalid(f"A document is not in database {root!r}.")

    def covers(self, place: Place) -> bool:
        """Whether the document is one of them."""
        return f"{place.root}/documents/{place.path}" in self._keys

    async def start(self) -> Delta:
        """All of them."""
        delta = Delta()
        for name, key in self._keys.items():
            row = self._backend.store.read(key)
            if row is None:
                delta.deleted.append(name)
            else:
                delta.shown.append(row)
        return delta

    async def follow(self, changes: Sequence[Change]) -> Delta:
        """The changed ones."""
        delta = Delta()
        for change in changes:
            if change.row is None:
                delta.deleted.append(change.name)
            else:
                delta.shown.append(change.row)
        return delta


class QueryResults:
    """The results of a query, and the versions the listener knows."""

    def __init__(self, query: Query, plans: Sequence[Plan], backend: Backend) -> None:
        self.projection: Sequence[field_paths.Path] | None = query.projection
        self._query = query
        self._plans = plans
        self._backend = backend
        self._known: dict[str, int] = {}

    def covers(self, place: Place) -> bool:
        """Whether the document lies in the queried collections."""
        return self._query.source.covers(place)

    async def start(self) -> Delta:
        """All results."""
        delta = Delta(shown=[row async for page in self._pages() for row in page])
        self._known = {row.name: row.updated for row in delta.shown}
        return delta

    def _pages(self) -> AsyncGenerator[list[Row]]:
        return slices(self._backend.store, self._query, self._plans)

    async def follow(self, changes: Sequence[Change]) -> Delta:
        """What entered, changed or left the results."""
        if self._query.limit is not None or self._query.offset:
            return await self._compared(changes)
        delta = Delta()
        for change in changes:
            if change.row is not None and self._selects(change.row):
                if self._known.get(change.name) != change.row.updated:
                    delta.shown.append(change.row)
                self._known[change.name] = change.row.updated
            elif self._known.pop(change.name, None) is not None:
                (delta.deleted if change.row is None else delta.hidden).append(change.name)
        return delta

    def _selects(self, row: Row) -> bool:
        fields = parsed(row).fields
        if not self._query.selects(path_of(row), fields):
            return False
        sort_key = self._query.sort_key(path_of(row), fields)
        return sort_key is not None and self._query.between_cursors(sort_key)

    async def _compared(self, changes: Sequence[Change]) -> Delta:
        """With a limit, one document's change may let another one in: ask again and compare."""
        if not any(c.name in self._known or (c.row is not None and self._selects(c.row)) for c in changes):
            return Delta()
        rows = {row.name: row async for page in self._pages() for row in page}
        gone = {change.name for change in changes if change.row is None}
        delta = Delta(shown=[row for row in rows.values() if self._known.get(row.name) != row.updated])
        for name in self._known.keys() - rows.keys():
            (delta.deleted if name in gone else delta.hidden).append(name)
        self._known = {name: row.updated for name, row in rows.items()}
        return delta
