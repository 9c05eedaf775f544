"""A query as the server thinks of it: source, alternatives of conditions, complete order, cursors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from infra.local.firestore import fields as field_paths
from infra.local.firestore.encoding import inverted
from infra.local.firestore.fields import DOCUMENT_NAME, Fields
from infra.local.firestore.indexes import Scope
from infra.local.firestore.names import END, SEPARATOR, Place, path_key
from infra.local.firestore.query.conditions import Condition, Within, field_key

Alternative = tuple[Condition, ...]


class OrderBy(NamedTuple):
    """One column of the order; ``path`` is canonical."""

    path: str
    descending: bool


class Bound(NamedTuple):
    """A cursor: encoded values of the first columns, and whether it stands before what equals them."""

    keys: tuple[bytes, ...]
    before: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Which documents a query ranges over.

    ``parent`` is the path of a document, or empty. ``group`` is the id of the collections, None for all.
    With ``descendants`` the collections may lie at any depth below the parent.
    """

    root: str
    parent: str
    group: str | None
    descendants: bool

    @property
    def scope(self) -> Scope:
        """The kind of index that covers it."""
        return Scope.COLLECTION_GROUP if self.descendants else Scope.COLLECTION

    @property
    def collection(self) -> str:
        """The path of the one collection, when there are no descendants."""
        return f"{self.parent}/{self.group}" if self.parent else self.group or ""

    @property
    def ancestor_key(self) -> bytes:
        """What the encoded path of every document in it starts with."""
        path = self.parent if self.descendants else self.collection
        return path_key(path) + SEPARATOR if path else b""

    def covers(self, place: Place) -> bool:
        """Whether a document belongs to it."""
        if place.root != self.root:
            return False
        if not self.descendants:
            return place.collection == self.collection
        below = not self.parent or place.path.startswith(self.parent + "/")
        return below and (self.group is None or place.group == self.group)


@dataclass(frozen=True, slots=True)
class Query:
    """A checked query. A document is a result when it fits one of the ``alternatives`` entirely."""

    source: Source
    alternatives: tuple[Alternative, ...]
    orders: tuple[OrderBy, ...]
    start: Bound | None = None
    end: Bound | None = None
    offset: int = 0
    limit: int | None = None
    projection: tuple[field_paths.Path, ...] | None = None

    def sort_key(self, path: str, fields: Fields) -> bytes | None:
        """Bytes that compare as the order wants; None when a column is missing, so it is no result."""
        name_key = path_key(path) + END
        columns = []
        for order in self.orders:
            key = field_key(order.path, name_key, fields)
            if key is None:
                return None
            columns.append(directed(key, order.descending))
        return b"".join(columns)

    def selects(self, path: str, fields: Fields) -> bool:
        """Whether a document fits the conditions."""
        name_key = path_key(path) + END
        return any(
            all(condition.holds(name_key, fields) for condition in alternative)
            for alternative in self.alternatives
        )

    def between_cursors(self, sort_key: bytes) -> bool:
        """Whether a result lies between the cursors."""
        return (self.start is None or not self._is_before(sort_key, self.start)) and (
            self.end is None or self._is_before(sort_key, self.end)
        )

    def _is_before(self, sort_key: bytes, bound: Bound) -> bool:
        columns = zip(bound.keys, self.orders, strict=False)
        wall = b"".join(directed(key, order.descending) for key, order in columns)
        if sort_key.startswith(wall):
            return not bound.before
        return sort_key < wall


def directed(key: bytes, descending: bool) -> bytes:
    """``key`` as it sorts in a column of that direction."""
    return inverted(key) if descending else key


def inequality_paths(alternatives: Iterable[Alternative]) -> set[str]:
    """The fields that are compared by range."""
    return {
        condition.path
        for alternative in alternatives
        for condition in alternative
        if isinstance(condition, Within)
    }


def complete_orders(explicit: Iterable[OrderBy], alternatives: Iterable[Alternative]) -> tuple[OrderBy, ...]:
    """The explicit order, then the fields compared by range by name, then the document name."""
    orders = list(explicit)
    descending = orders[-1].descending if orders else False
    named = {order.path for order in orders}
    compared = sorted(inequality_paths(alternatives) - named - {DOCUMENT_NAME})
    orders.extend(OrderBy(path, descending) for path in compared)
    if DOCUMENT_NAME not in named:
        orders.append(OrderBy(DOCUMENT_NAME, descending))
    return tuple(orders)
