"""Counts, sums and averages over the results of a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from infra.local.firestore import fields as field_paths
from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.query.model import Query
from infra.local.firestore.query.planner import plan
from infra.local.firestore.query.run import counted, slices
from infra.local.firestore.refusal import invalid
from infra.local.firestore.storage import Row
from infra.local.firestore.store import Store, parsed
from infra.local.firestore.transforms import number
from infra.local.firestore.wire import Aggregation, Value

MAX_AGGREGATIONS = 5
_INT64 = 1 << 63


@dataclass(slots=True)
class Tally:
    """One aggregation under way. ``path`` is the aggregated field, None for a count."""

    alias: str
    kind: str
    path: field_paths.Path | None
    up_to: int | None
    count: int = 0
    total: int = 0
    fraction: float = 0.0
    has_fraction: bool = False

    def add(self, row_fields: field_paths.Fields) -> None:
        """Takes one result into account."""
        if self.path is None:
            self.count += 1
            return
        found = number(field_paths.lookup(row_fields, self.path))
        if found is None:
            return
        self.count += 1
        if isinstance(found, int):
            self.total += found
        else:
            self.fraction += found
            self.has_fraction = True

    def result(self) -> Value:
        """The outcome so far."""
        if self.kind == "count":
            return Value(integer_value=self.count if self.up_to is None else min(self.count, self.up_to))
        if self.kind == "sum":
            return self._sum()
        if not self.count:
            return Value(null_value=0)
        return Value(double_value=(self.total + self.fraction) / self.count)

    def _sum(self) -> Value:
        if self.has_fraction or not -_INT64 <= self.total < _INT64:
            return Value(double_value=self.total + self.fraction)
        return Value(integer_value=self.total)


def tallies(aggregations: Sequence[Aggregation]) -> list[Tally]:
    """The aggregations of a request, at zero.

    Raises:
        Refusal: INVALID_ARGUMENT for none, too many, unknown ones, or a name given twice.
    """
    if not 1 <= len(aggregations) <= MAX_AGGREGATIONS:
        raise invalid(f"An aggregation query has 1 to {MAX_AGGREGATIONS} aggregations.")
    found = [_tally(aggregation, position) for position, aggregation in enumerate(aggregations, 1)]
    if len({tally.alias for tally in found}) < len(found):
        raise invalid("Two aggregations have the same alias.")
    return found


def _tally(aggregation: Aggregation, position: int) -> Tally:
    alias = aggregation.alias or f"field_{position}"
    kind = aggregation.WhichOneof("operator")
    if kind == "count":
        up_to = aggregation.count.up_to.value if aggregation.count.HasField("up_to") else None
        if up_to is not None and up_to <= 0:
            raise invalid("up_to must be greater than zero.")
        return Tally(alias, kind, None, up_to)
    if kind == "sum":
        return Tally(alias, kind, field_paths.parse(aggregation.sum.field.field_path), None)
    if kind == "avg":
        return Tally(alias, kind, field_paths.parse(aggregation.avg.field.field_path), None)
    raise invalid("An aggregation has no operator.")


async def aggregate(
    store: Store, catalogue: IndexCatalogue, query: Query, found: Sequence[Tally], at: int | None
) -> None:
    """Brings the tallies to their result.

    Raises:
        Refusal: FAILED_PRECONDITION when an index is missing.
    """
    fields = [field_paths.written(tally.path) for tally in found if tally.path is not None]
    plans = plan(query, catalogue, also=fields)
    past = at is not None and store.changed_at > at
    if not fields and not past:
        query = _bounded(query, found)
        total = await counted(store, query, plans)
        if total is not None:
            for tally in found:
                tally.count = total
            return
    async for page in slices(store, query, plans, at):
        _add(found, page)


def _bounded(query: Query, found: Sequence[Tally]) -> Query:
    """The query with no more results than the counts want."""
    bounds = [tally.up_to for tally in found]
    wanted = [bound for bound in (query.limit, *bounds) if bound is not None]
    if None in bounds:
        return query
    return replace(query, limit=max(wanted) if query.limit is None else min(query.limit, max(wanted)))


def _add(found: Sequence[Tally], page: Sequence[Row]) -> None:
    plain = all(tally.path is None for tally in found)
    for row in page:
        row_fields: field_paths.Fields | None = None if plain else parsed(row).fields
        for tally in found:
            if tally.path is None:
                tally.count += 1
            elif row_fields is not None:
                tally.add(row_fields)
