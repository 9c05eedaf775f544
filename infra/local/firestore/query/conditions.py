"""What a filter asks of one field, in terms of encoded values."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from infra.local.firestore import encoding
from infra.local.firestore.encoding import NULL, after, indexed
from infra.local.firestore.fields import DOCUMENT_NAME, Fields, lookup, parse
from infra.local.firestore.names import END, path_key, split
from infra.local.firestore.query.spans import Span, Spans, outside, prefixed
from infra.local.firestore.refusal import invalid
from infra.local.firestore.wire import FieldFilter, Filter, UnaryFilter, Value

# Null and NaN are found by IS_NULL and IS_NAN only: compared with anything, they are never equal, less
# or more.
_INCOMPARABLE = (encoding.NULL, encoding.NAN)
_TYPES = (
    (encoding.FALSE, encoding.TRUE),
    (encoding.NUMBER,),
    (encoding.TIMESTAMP,),
    (encoding.STRING,),
    (encoding.BYTES,),
    (encoding.REFERENCE,),
    (encoding.GEOPOINT,),
    (encoding.ARRAY,),
    (encoding.VECTOR,),
    (encoding.MAP,),
)
_BRACKETS = {tag: Span(tags[0], after(tags[-1])) for tags in _TYPES for tag in tags}
MAX_OPERANDS = 30
MAX_EXCLUDED = 10
_OPS = FieldFilter.Operator
_UNARY = UnaryFilter.Operator


@dataclass(frozen=True, slots=True)
class Equals:
    """The field has exactly this value."""

    path: str
    key: bytes

    def holds(self, name_key: bytes, fields: Fields) -> bool:
        """Whether a document fits; ``name_key`` is its encoded path."""
        return field_key(self.path, name_key, fields) == self.key


@dataclass(frozen=True, slots=True)
class Contains:
    """The field is an array with this element."""

    path: str
    key: bytes

    def holds(self, name_key: bytes, fields: Fields) -> bool:
        """Whether a document fits."""
        value = lookup(fields, parse(self.path))
        if value is None or value.WhichOneof("value_type") != "array_value":
            return False
        return any(indexed(item) == self.key for item in value.array_value.values)


@dataclass(frozen=True, slots=True)
class Within:
    """The field's value lies in one of some ranges."""

    path: str
    spans: Spans

    def holds(self, name_key: bytes, fields: Fields) -> bool:
        """Whether a document fits."""
        key = field_key(self.path, name_key, fields)
        return key is not None and any(span.holds(key) for span in self.spans)


Condition = Equals | Contains | Within


def field_key(path: str, name_key: bytes, fields: Fields) -> bytes | None:
    """The encoded value of a field, of the document name for ``__name__``; None when it is missing."""
    if path == DOCUMENT_NAME:
        return name_key
    value = lookup(fields, parse(path))
    return None if value is None else indexed(value)


def operand_key(path: str, value: Value, root: str) -> bytes:
    """The encoded operand of a comparison with a field.

    Raises:
        Refusal: INVALID_ARGUMENT when the document name is compared with anything but a reference.
    """
    if path != DOCUMENT_NAME:
        try:
            return indexed(value)
        except struct.error as error:
            raise invalid(f"The operand compared with {path!r} holds a timestamp out of range.") from error
    if value.WhichOneof("value_type") != "reference_value":
        raise invalid("__key__ filter value must be a Key")
    other_root, document = split(value.reference_value)
    if other_root != root or not document:
        raise invalid(f"{value.reference_value[:200]!r} is no document of database {root!r}.")
    return path_key(document) + END


def is_exclusion(filter_: Filter) -> bool:
    """Whether a filter asks for everything but something."""
    if filter_.WhichOneof("filter_type") == "unary_filter":
        return filter_.unary_filter.op in (_UNARY.IS_NOT_NULL, _UNARY.IS_NOT_NAN)
    return filter_.field_filter.op in (_OPS.NOT_EQUAL, _OPS.NOT_IN)


def unary(path: str, op: int) -> Condition:
    """The condition of a filter without operand.

    Raises:
        Refusal: INVALID_ARGUMENT when the operator is unknown.
    """
    if op == _UNARY.IS_NULL:
        return Equals(path, NULL)
    if op == _UNARY.IS_NAN:
        return Equals(path, encoding.NAN)
    after_null = prefixed(NULL).high or b""
    if op == _UNARY.IS_NOT_NULL:
        return Within(path, outside((), after_null))
    if op == _UNARY.IS_NOT_NAN:
        return Within(path, outside((encoding.NAN,), after_null))
    raise invalid(f"Unknown unary operator {op}.")


def alternatives(path: str, op: int, value: Value, root: str) -> list[Condition]:
    """The conditions of a comparison; a document needs to fit one of them.

    Raises:
        Refusal: INVALID_ARGUMENT when operator and operand do not fit together.
    """
    if op in (_OPS.IN, _OPS.ARRAY_CONTAINS_ANY, _OPS.NOT_IN):
        items = _operands(value)
        if op == _OPS.NOT_IN:
            if len(items) > MAX_EXCLUDED:
                raise invalid(f"'NOT_IN' supports up to {MAX_EXCLUDED} comparison values.")
            return [_none_of(path, items, root)]
        kind = Equals if op == _OPS.IN else Contains
        if len(items) > MAX_OPERANDS:
            raise invalid(f"'IN' and 'ARRAY_CONTAINS_ANY' support up to {MAX_OPERANDS} comparison values.")
        keys = dict.fromkeys(operand_key(path, item, root) for item in items)
        return [kind(path, key) for key in keys if key not in _INCOMPARABLE]
    key = operand_key(path, value, root)
    if key in _INCOMPARABLE and op != _OPS.NOT_EQUAL:
        return []
    if op == _OPS.EQUAL:
        return [Equals(path, key)]
    if op == _OPS.ARRAY_CONTAINS:
        return [Contains(path, key)]
    if op == _OPS.NOT_EQUAL:
        return [_none_of(path, [value], root)]
    return [Within(path, (_comparison(path, op, key),))]


def _operands(value: Value) -> list[Value]:
    items = list(value.array_value.values)
    if value.WhichOneof("value_type") != "array_value" or not items:
        raise invalid("'IN', 'NOT_IN' and 'ARRAY_CONTAINS_ANY' need a non-empty array.")
    return items


def _none_of(path: str, items: list[Value], root: str) -> Within:
    if any(item.WhichOneof("value_type") in (None, "null_value") for item in items):
        return Within(path, ())
    start = b"" if path == DOCUMENT_NAME else after(NULL) or b""
    keys = [operand_key(path, item, root) for item in items]
    return Within(path, outside([key for key in keys if key not in _INCOMPARABLE], start))


def _comparison(path: str, op: int, key: bytes) -> Span:
    bracket = Span(b"", None) if path == DOCUMENT_NAME else _BRACKETS[key[:1]]
    if op == _OPS.LESS_THAN:
        return Span(bracket.low, key)
    if op == _OPS.LESS_THAN_OR_EQUAL:
        return Span(bracket.low, after(key))
    if op == _OPS.GREATER_THAN:
        return Span(after(key) or b"", bracket.high)
    if op == _OPS.GREATER_THAN_OR_EQUAL:
        return Span(key, bracket.high)
    raise invalid(f"Unknown operator {op}.")
