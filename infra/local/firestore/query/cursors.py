"""Where the cursors of a query stand among the keys of an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.local.firestore.encoding import after, inverted
from infra.local.firestore.fields import DOCUMENT_NAME
from infra.local.firestore.query.model import Bound, OrderBy, Query, directed
from infra.local.firestore.query.spans import Span


@dataclass(frozen=True, slots=True)
class Layout:
    """How the columns of an order lie in the keys that are read.

    ``equal`` are the columns that are compared for equality and so are constant. ``physical`` columns are
    stored in their direction; others are stored upwards, and read ``backwards`` when they sort downwards.
    """

    orders: Sequence[OrderBy]
    equal: Mapping[str, bytes]
    backwards: bool
    physical: bool


def between(query: Query, layout: Layout) -> Span:
    """The suffixes of keys between the cursors of a query."""
    low: bytes | None = b""
    high: bytes | None = None
    if query.start is not None:
        position = _position(query, query.start, layout)
        low, high = (low, position) if layout.backwards else (position, high)
    if query.end is not None:
        position = _position(query, query.end, layout)
        low, high = (position, high) if layout.backwards else (low, position)
    return Span(b"", b"") if low is None else Span(low, high)


def _position(query: Query, bound: Bound, layout: Layout) -> bytes | None:
    """Where a cursor stands; None is behind everything."""
    wall, before = _wall(query, bound, layout)
    return after(wall) if before == layout.backwards else wall


def _wall(query: Query, bound: Bound, layout: Layout) -> tuple[bytes, bool]:
    """The leading columns of a cursor as they are stored, and whether it stands before what equals them."""
    wall = b""
    for key, order in zip(bound.keys, layout.orders, strict=False):
        constant = layout.equal.get(order.path)
        if constant is not None:
            if key != constant:
                return wall, directed(key, order.descending) < directed(constant, order.descending)
            continue
        if order.path == DOCUMENT_NAME and not query.source.descendants:
            key = key.removeprefix(query.source.ancestor_key)
        wall += inverted(key) if layout.physical and order.descending else key
    return wall, bound.before
