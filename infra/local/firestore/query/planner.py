"""Chooses the index ranges that answer a query, or refuses it when production would want an index.

An index serves an alternative when its first columns are compared for equality and the rest is exactly
the order that is left. Indexes with the same rest can be merged: each brings some of the equalities.
Nothing is ever sorted, so the cost of a query depends on what it returns, not on the collection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.local.firestore import fields as field_paths
from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.encoding import after, inverted
from infra.local.firestore.entries import (
    BY_NAME,
    by_composite,
    by_element,
    by_value,
    collection_scope,
    group_scope,
    prefix,
)
from infra.local.firestore.fields import DOCUMENT_NAME
from infra.local.firestore.indexes import CompositeIndex, Mode
from infra.local.firestore.query import missing_index
from infra.local.firestore.query.conditions import Condition, Contains, Equals, Within
from infra.local.firestore.query.cursors import Layout, between
from infra.local.firestore.query.model import Alternative, OrderBy, Query
from infra.local.firestore.query.plans import Lookup, Plan, Scan
from infra.local.firestore.query.spans import EVERYTHING, Span, Spans, intersect, mirrored, prefixed


def plan(query: Query, catalogue: IndexCatalogue, also: Sequence[str] = ()) -> tuple[Plan, ...]:
    """One plan per alternative. ``also`` names fields that the index must hold besides.

    Raises:
        Refusal: FAILED_PRECONDITION when an index is missing; the message holds its declaration.
    """
    orders = _with_fields(query.orders, also)
    return tuple(_Planner(query, alternative, orders, catalogue).plan() for alternative in query.alternatives)


def _with_fields(orders: tuple[OrderBy, ...], also: Sequence[str]) -> tuple[OrderBy, ...]:
    *columns, name = orders
    known = {order.path for order in orders}
    extra = [OrderBy(path, name.descending) for path in sorted(set(also) - known)]
    return (*columns, *extra, name)


class _Planner:
    """Plans one alternative."""

    def __init__(
        self, query: Query, alternative: Alternative, orders: Sequence[OrderBy], catalogue: IndexCatalogue
    ) -> None:
        self._query = query
        self._source = query.source
        self._alternative = alternative
        self._orders = tuple(orders)
        self._indexes = catalogue.group(query.source.group or "")
        self._equal = {c.path: c.key for c in alternative if isinstance(c, Equals)}
        self._contains = {c.path: c.key for c in alternative if isinstance(c, Contains)}
        self._suffix = tuple(order for order in orders if order.path not in self._equal)

    def plan(self) -> Plan:
        name = self._equal.get(DOCUMENT_NAME)
        if name is not None:
            others = tuple(
                c for c in self._alternative if c.path != DOCUMENT_NAME or not isinstance(c, Equals)
            )
            return Lookup(name, others)
        if self._source.group is None:
            return self._scan((prefix(self._source.root, BY_NAME),), False, kindless=True)
        if not self._equal and not self._contains and len(self._suffix) <= 2:
            return self._single()
        if len(self._suffix) == 1 and not self._contains:
            return self._merged(self._composites() + self._equalities())
        if len(self._suffix) == 1 and not self._equal and not self._suffix[0].descending:
            return self._single_contains()
        return self._merged(self._composites())

    def _scope_name(self) -> str:
        source = self._source
        if source.descendants:
            return group_scope(source.root, source.group or "")
        return collection_scope(source.root, source.collection)

    def _index(self, definition: str) -> bytes:
        return prefix(self._scope_name(), definition)

    def _single(self) -> Scan:
        """Only an order: the index of names, or of one field."""
        first, name = self._suffix[0], self._suffix[-1]
        if len(self._suffix) == 1 and not first.descending:
            return self._scan((self._index(BY_NAME),), False)
        if len(self._suffix) == 1 or first.descending != name.descending:
            return self._merged(self._composites())
        mode = Mode.DESCENDING if first.descending else Mode.ASCENDING
        self._require(first.path, mode)
        return self._scan((self._index(by_value(first.path)),), first.descending)

    def _single_contains(self) -> Scan:
        ((path, key),) = self._contains.items()
        self._require(path, Mode.CONTAINS)
        return self._scan((self._index(by_element(path)) + key,), False)

    def _require(self, path: str, mode: Mode) -> None:
        scope = self._source.scope
        rule = self._indexes.rule(field_paths.parse(path))
        if not rule.has(scope, mode):
            raise missing_index.single(self._source.group or "", scope, path, mode, rule)

    def _equalities(self) -> list[_Candidate]:
        """The single-field indexes of what is compared for equality, where they exist."""
        mode = Mode.DESCENDING if self._suffix[0].descending else Mode.ASCENDING
        found = []
        for path, key in self._equal.items():
            if self._indexes.rule(field_paths.parse(path)).has(self._source.scope, mode):
                found.append(_Candidate(frozenset({(path, False)}), self._index(by_value(path)) + key, None))
        return found

    def _composites(self) -> list[_Candidate]:
        """The declared indexes that end in the order and begin with some of the equalities."""
        found = []
        for index in self._indexes.composites:
            if index.searchable and index.scope is self._source.scope:
                candidate = self._candidate(index)
                if candidate is not None:
                    found.append(candidate)
        return found

    def _candidate(self, index: CompositeIndex) -> _Candidate | None:
        cut = len(index.components) - len(self._suffix)
        if cut < 0:
            return None
        tail = tuple(OrderBy(part.path, part.descending) for part in index.components[cut:])
        if tail != self._suffix or any(part.mode is Mode.CONTAINS for part in index.components[cut:]):
            return None
        key = self._index(by_composite(index))
        for part in index.components[:cut]:
            column = (self._contains if part.mode is Mode.CONTAINS else self._equal).get(part.path)
            if column is None:
                return None
            key += inverted(column) if part.descending else column
        covered = frozenset((part.path, part.mode is Mode.CONTAINS) for part in index.components[:cut])
        return _Candidate(covered, key, index)

    def _merged(self, candidates: list[_Candidate]) -> Scan:
        """The fewest candidates that bring all equalities together."""
        wanted = {(path, False) for path in self._equal} | {(path, True) for path in self._contains}
        chosen: list[_Candidate] = []
        open_ = set(wanted)
        while open_ or not chosen:
            best = max(candidates, key=lambda c: len(c.covered & open_), default=None)
            if best is None or (open_ and not best.covered & open_):
                raise self._missing()
            chosen.append(best)
            open_ -= best.covered
        declared = any(candidate.index is not None for candidate in chosen)
        backwards = not declared and self._suffix[0].descending
        if declared and self._suffix[0].descending and any(c.index is None for c in chosen):
            raise self._missing()
        return self._scan(tuple(c.prefix for c in chosen), backwards, physical=declared)

    def _missing(self) -> Exception:
        source = self._source
        group = source.group or ""
        if len(self._suffix) == 1 and not self._contains and self._equal:
            mode = Mode.DESCENDING if self._suffix[0].descending else Mode.ASCENDING
            for path in self._equal:
                rule = self._indexes.rule(field_paths.parse(path))
                if not rule.has(source.scope, mode):
                    return missing_index.single(group, source.scope, path, mode, rule)
        return missing_index.composite(
            group, source.scope, tuple(self._equal), tuple(self._contains), self._suffix
        )

    def _scan(
        self,
        prefixes: tuple[bytes, ...],
        backwards: bool,
        *,
        physical: bool = False,
        kindless: bool = False,
    ) -> Scan:
        """A scan with its ranges; ``physical`` columns are stored in their direction."""
        first = self._suffix[0]
        downwards = physical and first.descending
        spans: Spans = (EVERYTHING,)
        residual: list[Condition] = []
        for condition in self._alternative:
            if isinstance(condition, Within) and condition.path == first.path:
                spans = intersect(spans, condition.spans)
            elif isinstance(condition, Within):
                residual.append(condition)
        spans, outside = self._below_parent(spans, first)
        residual.extend(outside)
        if downwards:
            spans = mirrored(spans)
        layout = Layout(self._orders, self._equal, backwards, physical)
        spans = intersect(spans, (between(self._query, layout),))
        constants = tuple((o.path, self._equal[o.path]) for o in self._orders if o.path in self._equal)
        return Scan(prefixes, spans, backwards, tuple(residual), self._suffix, constants, kindless)

    def _below_parent(self, spans: Spans, first: OrderBy) -> tuple[Spans, list[Condition]]:
        """Keeps a query below its parent: by range when the name comes first, by looking otherwise."""
        source = self._source
        ancestor = source.ancestor_key
        if first.path != DOCUMENT_NAME:
            below = Within(DOCUMENT_NAME, (prefixed(ancestor),))
            return spans, [below] if source.descendants and ancestor else []
        if ancestor:
            spans = intersect(spans, (prefixed(ancestor),))
        return spans if source.descendants else _relative(spans, ancestor), []


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An index that brings some equalities, with the first bytes of the keys that matter.

    ``covered`` holds paths, each with whether it is about the elements of an array.
    """

    covered: frozenset[tuple[str, bool]]
    prefix: bytes
    index: CompositeIndex | None


def _relative(spans: Spans, ancestor: bytes) -> Spans:
    """Ranges of paths below a collection as ranges of ids."""
    end = after(ancestor)
    cut = len(ancestor)
    return tuple(
        Span(span.low[cut:], None if span.high is None or span.high == end else span.high[cut:])
        for span in spans
    )
