"""Encoded values compare as Firestore sorts them; the order is told here once more, without bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cmp_to_key

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.local.firestore import names
from infra.local.firestore.encoding import INDEXED_BYTES, after, clipped, encode, indexed, inverted
from infra.local.firestore.query.spans import Span, intersect, mirrored, outside, prefixed, shifted
from infra.local.firestore.wire import Timestamp, Value

Plain = None | bool | int | float | str | bytes | list["Plain"] | dict[str, "Plain"]

TEXTS = st.one_of(st.text(max_size=8), st.text("\x00\x01aÿ\U0001f600", max_size=5))
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.sampled_from([0, -0.0, 0.0, 2**53, 2**53 + 1, 2.0**53, -(2**53) - 1, 2**62, 2.0**62, 2**63 - 1]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.binary(max_size=6))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


def wire_value(plain: Plain) -> Value:
    """A plain value as Firestore's."""
    if plain is None:
        return Value(null_value=0)
    if isinstance(plain, bool):
        return Value(boolean_value=plain)
    if isinstance(plain, int):
        return Value(integer_value=plain)
    if isinstance(plain, float):
        return Value(double_value=plain)
    if isinstance(plain, str):
        return Value(string_value=plain)
    if isinstance(plain, bytes):
        return Value(bytes_value=plain)
    value = Value()
    if isinstance(plain, list):
        value.array_value.SetInParent()
        value.array_value.values.extend(wire_value(item) for item in plain)
        return value
    value.map_value.SetInParent()
    for name, item in plain.items():
        value.map_value.fields[name].CopyFrom(wire_value(item))
    return value


def compare(left: Plain, right: Plain) -> int:
    """Firestore's order: below zero when ``left`` comes first."""
    ranks = (_rank(left), _rank(right))
    if ranks[0] != ranks[1]:
        return -1 if ranks[0] < ranks[1] else 1
    if isinstance(left, list) and isinstance(right, list):
        return _compare_lists(left, right)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        flat = [[part for key in sorted(m, key=str.encode) for part in (key, m[key])] for m in (left, right)]
        return _compare_lists(flat[0], flat[1])
    if left is None or _is_nan(left):
        return 0
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.encode(), right.encode()
    return (left > right) - (left < right)  # type: ignore[operator]  # both of one comparable type


def _compare_lists(left: list[Plain], right: list[Plain]) -> int:
    for one, other in zip(left, right, strict=False):
        found = compare(one, other)
        if found:
            return found
    return len(left) - len(right)


def _rank(value: Plain) -> int:
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    if isinstance(value, int | float):
        return 2 if _is_nan(value) else 3
    return {str: 5, bytes: 6, list: 9, dict: 11}[type(value)]


def _is_nan(value: Plain) -> bool:
    return isinstance(value, float) and math.isnan(value)


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


@settings(max_examples=600)
@given(VALUES, VALUES)
@example(-0.0, 0)
@example(2**53 + 1, float(2**53))
@example(2**63 - 1, float(2**63))
@example(-(2**63), -float(2**63))
@example("a\x00", "a")
@example("a\x00b", "a\x01")
@example([1], [1, None])
@example({"a": 1}, {"a": 1, "b": None})
@example({"a": 2}, {"b": 1})
@example([[]], [{}])
def test_encodings_compare_as_the_values_do(left: Plain, right: Plain) -> None:
    a, b = encode(wire_value(left)), encode(wire_value(right))
    expected = sign(compare(left, right))
    assert sign((a > b) - (a < b)) == expected
    assert sign((inverted(a) > inverted(b)) - (inverted(a) < inverted(b))) == -expected


@given(VALUES, VALUES)
def test_no_encoding_begins_another(left: Plain, right: Plain) -> None:
    a, b = indexed(wire_value(left)), indexed(wire_value(right))
    assert a == b or not a.startswith(b)


@given(st.lists(VALUES, max_size=12))
def test_sorting_by_encoding_is_sorting_by_value(values: list[Plain]) -> None:
    by_bytes = sorted(values, key=lambda value: encode(wire_value(value)))
    by_value = sorted(values, key=cmp_to_key(compare))
    keys = [[encode(wire_value(value)) for value in found] for found in (by_bytes, by_value)]
    assert keys[0] == keys[1]


def test_types_sort_as_the_documentation_says() -> None:
    reference = Value(reference_value="projects/p/databases/d/documents/a/b")
    point = Value()
    point.geo_point_value.latitude = 1.0
    vector = wire_value({"__type__": "__vector__", "value": [1.0]})
    moment = Value(timestamp_value=Timestamp(seconds=-5))
    ordered = [
        *map(wire_value, (None, False, True, math.nan, -math.inf, 0)),
        moment,
        wire_value(""),
        wire_value(b""),
        reference,
        point,
        wire_value([]),
        vector,
        wire_value({}),
    ]
    keys = [encode(value) for value in ordered]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@given(st.integers(-(10**10), 10**10), st.integers(0, 999_999), st.integers(-(10**10), 10**10))
def test_timestamps_sort_by_time(seconds: int, micros: int, other: int) -> None:
    early = encode(Value(timestamp_value=Timestamp(seconds=seconds, nanos=micros * 1000)))
    late = encode(Value(timestamp_value=Timestamp(seconds=other, nanos=0)))
    assert (early < late) == ((seconds, micros) < (other, 0))


@given(st.text("ab\x00", min_size=INDEXED_BYTES, max_size=INDEXED_BYTES + 20), st.text("ab\x00", max_size=3))
@settings(max_examples=50)
def test_long_values_are_clipped_without_being_confused(text: str, more: str) -> None:
    one, other = (indexed(wire_value(content)) for content in (text, text + more))
    assert len(one) <= INDEXED_BYTES + 8
    assert (one == other) == (not more)
    assert clipped(b"short") == b"short"


SEGMENTS = st.one_of(
    TEXTS.filter(lambda text: text and "/" not in text), st.sampled_from(["__id5__", "__id-7__"])
)


@given(st.lists(SEGMENTS, min_size=1, max_size=4), st.lists(SEGMENTS, min_size=1, max_size=4))
def test_paths_sort_segment_by_segment_with_numbers_first(left: list[str], right: list[str]) -> None:
    def order(path: list[str]) -> list[tuple[int, int, bytes]]:
        return [
            (0, int(part[4:-2]), b"") if part.startswith("__id") else (1, 0, part.encode()) for part in path
        ]

    a, b = (names.path_key("/".join(path)) + names.END for path in (left, right))
    assert (a < b) == (order(left) < order(right))


A_FEW: tuple[Plain, ...] = (None, 0, 1, 2.5, "a", "ab", "b", [1], {})
KEYS = st.sampled_from([indexed(wire_value(value)) for value in A_FEW])
SPANS = st.lists(KEYS, min_size=2, max_size=4, unique=True).map(
    lambda keys: tuple(
        Span(low, high) for low, high in zip(sorted(keys)[::2], sorted(keys)[1::2], strict=False)
    )
)


@given(SPANS, SPANS, KEYS)
def test_ranges_intersect_mirror_and_shift_as_sets(
    left: tuple[Span, ...], right: tuple[Span, ...], key: bytes
) -> None:
    def inside(spans: tuple[Span, ...], probe: bytes) -> bool:
        return any(span.holds(probe) for span in spans)

    assert inside(intersect(left, right), key) == (inside(left, key) and inside(right, key))
    assert inside(mirrored(left), inverted(key)) == inside(left, key)
    assert inside(shifted(left, b"\x07\xff"), b"\x07\xff" + key) == inside(left, key)


@given(st.lists(KEYS, max_size=4), KEYS, KEYS)
def test_everything_but_some_values_is_exactly_that(excluded: list[bytes], start: bytes, key: bytes) -> None:
    spans = outside(excluded, start)
    assert any(span.holds(key) for span in spans) == (key >= start and key not in excluded)


@given(st.binary(max_size=6), st.binary(max_size=8))
def test_what_lies_after_a_prefix_lies_after_all_that_begins_with_it(prefix: bytes, rest: bytes) -> None:
    end = after(prefix)
    assert end is None or prefix + rest < end
    assert prefixed(prefix).holds(prefix + rest)


@pytest.mark.parametrize("prefix", [b"", b"\xff", b"\xff\xff"])
def test_nothing_lies_after_the_last_prefix(prefix: bytes) -> None:
    assert after(prefix) is None
