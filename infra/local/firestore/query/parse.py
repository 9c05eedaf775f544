"""From a StructuredQuery to a Query, with everything checked that does not depend on indexes."""

from __future__ import annotations

from collections.abc import Sequence

from infra.local.firestore import fields as field_paths
from infra.local.firestore import names
from infra.local.firestore.fields import DOCUMENT_NAME
from infra.local.firestore.query.conditions import (
    Contains,
    Equals,
    alternatives,
    is_exclusion,
    operand_key,
    unary,
)
from infra.local.firestore.query.model import Alternative, Bound, OrderBy, Query, Source, complete_orders
from infra.local.firestore.refusal import invalid
from infra.local.firestore.wire import CompositeFilter, Cursor, Filter, StructuredQuery

MAX_ALTERNATIVES = 30
MAX_FILTERS = 100
MAX_FILTER_DEPTH = 20
_DESCENDING = StructuredQuery.Direction.DESCENDING
_COMPOSITE = CompositeFilter.Operator


def parse_query(parent: str, wire: StructuredQuery) -> Query:
    """The query below ``parent``, a document name or the root of all documents.

    Raises:
        Refusal: INVALID_ARGUMENT, saying what is wrong.
    """
    source = _source(parent, wire)
    if wire.HasField("where") and _exclusions(wire.where) > 1:
        raise invalid(
            "Only a single 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NAN', or 'IS_NOT_NULL' filter is allowed."
        )
    matching = _simplified(_normal_form(wire.where, source.root) if wire.HasField("where") else [()])
    explicit = [
        OrderBy(field_paths.canonical(o.field.field_path), o.direction == _DESCENDING) for o in wire.order_by
    ]
    if len({order.path for order in explicit}) < len(explicit):
        raise invalid("order by: a property is named more than once.")
    orders = complete_orders(explicit, matching)
    _check_kindless(source, matching, orders)
    if wire.offset < 0 or (wire.HasField("limit") and wire.limit.value < 0):
        raise invalid("limit and offset must not be negative.")
    return Query(
        source,
        tuple(matching),
        orders,
        start=_bound(wire.start_at, orders[: len(explicit)], source) if wire.HasField("start_at") else None,
        end=_bound(wire.end_at, orders[: len(explicit)], source) if wire.HasField("end_at") else None,
        offset=wire.offset,
        limit=wire.limit.value if wire.HasField("limit") else None,
        projection=_projection(wire) if wire.HasField("select") else None,
    )


def _source(parent: str, wire: StructuredQuery) -> Source:
    root, path = names.parent(parent)
    if len(wire.from_) > 1:
        raise invalid("A query ranges over one collection selector.")
    if not wire.from_:
        return Source(root, path, None, descendants=True)
    selector = wire.from_[0]
    if selector.collection_id:
        names.check_segment(selector.collection_id)
    elif not selector.all_descendants:
        raise invalid("A collection selector needs a collection id or all descendants.")
    return Source(root, path, selector.collection_id or None, selector.all_descendants)


def _check_kindless(source: Source, matching: Sequence[Alternative], orders: Sequence[OrderBy]) -> None:
    if source.group is not None:
        return
    filtered = {condition.path for alternative in matching for condition in alternative}
    if filtered - {DOCUMENT_NAME} or len(orders) > 1 or orders[0].descending:
        raise invalid("Without a collection id, a query filters and orders by __name__ ascending only.")


def _projection(wire: StructuredQuery) -> tuple[field_paths.Path, ...]:
    paths = (field.field_path for field in wire.select.fields)
    return tuple(field_paths.parse(path) for path in paths if path != DOCUMENT_NAME)


def _bound(cursor: Cursor, orders: Sequence[OrderBy], source: Source) -> Bound:
    if len(cursor.values) > len(orders):
        raise invalid("Cursor has too many values.")
    columns = zip(cursor.values, orders, strict=False)
    keys = tuple(operand_key(order.path, value, source.root) for value, order in columns)
    for key, order in zip(keys, orders, strict=False):
        if order.path == DOCUMENT_NAME and not key.startswith(source.ancestor_key):
            raise invalid("The cursor names a document outside the queried collection.")
    return Bound(keys, cursor.before)


def _exclusions(filter_: Filter) -> int:
    if filter_.WhichOneof("filter_type") == "composite_filter":
        return sum(_exclusions(part) for part in filter_.composite_filter.filters)
    return int(is_exclusion(filter_))


def _normal_form(filter_: Filter, root: str, depth: int = 0) -> list[Alternative]:
    """The alternatives of a filter: a list of conjunctions."""
    if depth > MAX_FILTER_DEPTH:
        raise invalid("Filters are nested too deeply.")
    kind = filter_.WhichOneof("filter_type")
    if kind == "unary_filter":
        single = filter_.unary_filter
        return [(unary(field_paths.canonical(single.field.field_path), single.op),)]
    if kind == "field_filter":
        one = filter_.field_filter
        path = field_paths.canonical(one.field.field_path)
        return [(condition,) for condition in alternatives(path, one.op, one.value, root)]
    if kind is None:
        raise invalid("A filter has no kind.")
    return _combined(filter_.composite_filter, root, depth)


def _combined(filter_: CompositeFilter, root: str, depth: int) -> list[Alternative]:
    if len(filter_.filters) > MAX_FILTERS:
        raise invalid(f"A composite filter combines up to {MAX_FILTERS} filters.")
    if not filter_.filters:
        return [()]
    parts = [_normal_form(part, root, depth + 1) for part in filter_.filters]
    if filter_.op == _COMPOSITE.OR:
        return _limited([alternative for part in parts for alternative in part])
    if filter_.op != _COMPOSITE.AND:
        raise invalid(f"Unknown composite operator {filter_.op}.")
    product: list[Alternative] = [()]
    for part in parts:
        product = _limited([left + right for left in product for right in part])
    return product


def _limited(found: list[Alternative]) -> list[Alternative]:
    if len(found) > MAX_ALTERNATIVES:
        raise invalid(f"A query has at most {MAX_ALTERNATIVES} disjunctions in its disjunctive normal form.")
    return found


def _simplified(found: list[Alternative]) -> list[Alternative]:
    """Without repetitions, and with the number of array filters checked."""
    unique = list(dict.fromkeys(tuple(dict.fromkeys(alternative)) for alternative in found))
    for alternative in unique:
        if sum(isinstance(condition, Contains) for condition in alternative) > 1:
            raise invalid("A maximum of 1 'ARRAY_CONTAINS' filter is allowed per disjunction.")
    return [alternative for alternative in unique if not _contradicts_itself(alternative)]


def _contradicts_itself(alternative: Alternative) -> bool:
    equal = [condition.path for condition in alternative if isinstance(condition, Equals)]
    return len(equal) > len(set(equal))
