"""Nearest neighbours of a vector, by looking at every result of the query."""

from __future__ import annotations

import heapq
import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from infra.local.firestore import fields as field_paths
from infra.local.firestore.encoding import is_vector
from infra.local.firestore.refusal import invalid
from infra.local.firestore.storage import Row
from infra.local.firestore.store import parsed
from infra.local.firestore.transforms import number
from infra.local.firestore.wire import FindNearest, Value

MAX_LIMIT = 1000
Vector = Sequence[float]
_MEASURE = FindNearest.DistanceMeasure


async def nearest(pages: AsyncGenerator[list[Row]], wanted: FindNearest) -> AsyncGenerator[list[Row]]:
    """The nearest documents, nearest first, with the distance as a field when one is named.

    Raises:
        Refusal: INVALID_ARGUMENT when vector, measure or limit make no sense.
    """
    distance = _measure(wanted.distance_measure)
    target = vector(wanted.query_vector)
    limit = wanted.limit.value
    if target is None or not 1 <= limit <= MAX_LIMIT:
        raise invalid(f"find_nearest needs a query vector and a limit of 1 to {MAX_LIMIT}.")
    path = field_paths.parse(wanted.vector_field.field_path)
    best: list[tuple[float, str, Row]] = []
    async with aclosing(pages):
        async for page in pages:
            for row in page:
                found = vector(field_paths.lookup(parsed(row).fields, path))
                if found is not None and len(found) == len(target):
                    best.append((distance(found, target), row.name, row))
            best = heapq.nsmallest(limit, best)
    yield [_with_distance(row, far, wanted) for far, _, row in best if _is_near(far, wanted)]


def vector(value: Value | None) -> Vector | None:
    """The numbers of a vector value; None when it is none."""
    if value is None or value.WhichOneof("value_type") != "map_value" or not is_vector(value.map_value):
        return None
    return [float(number(item) or 0.0) for item in value.map_value.fields["value"].array_value.values]


def _measure(kind: int) -> Callable[[Vector, Vector], float]:
    if kind == _MEASURE.EUCLIDEAN:
        return math.dist
    if kind == _MEASURE.COSINE:
        return _cosine
    if kind == _MEASURE.DOT_PRODUCT:
        return lambda left, right: -_dot(left, right)
    raise invalid("find_nearest needs a distance measure.")


def _dot(left: Vector, right: Vector) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _cosine(left: Vector, right: Vector) -> float:
    lengths = math.hypot(*left) * math.hypot(*right)
    return 1.0 - _dot(left, right) / lengths if lengths else 1.0


def _is_near(far: float, wanted: FindNearest) -> bool:
    if not wanted.HasField("distance_threshold"):
        return True
    return far <= wanted.distance_threshold.value * _sign(wanted)


def _sign(wanted: FindNearest) -> int:
    """Dot products are compared the other way round, so they are kept negated."""
    return -1 if wanted.distance_measure == _MEASURE.DOT_PRODUCT else 1


def _with_distance(row: Row, far: float, wanted: FindNearest) -> Row:
    if not wanted.distance_result_field:
        return row
    document = parsed(row)
    path = field_paths.parse(wanted.distance_result_field)
    field_paths.assign(document.fields, path, Value(double_value=far * _sign(wanted)))
    return row._replace(data=document.SerializeToString())
