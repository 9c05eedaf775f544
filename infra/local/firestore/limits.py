"""What may not be written: sizes, depth, reserved names, arrays in arrays."""

from __future__ import annotations

from collections.abc import Callable

from infra.local.firestore.encoding import is_vector
from infra.local.firestore.fields import Fields
from infra.local.firestore.names import check_reference
from infra.local.firestore.refusal import Refusal, invalid
from infra.local.firestore.wire import Value

MAX_DOCUMENT_BYTES = 1 << 20
MAX_FIELD_NAME_BYTES = 1500
MAX_VALUE_BYTES = MAX_DOCUMENT_BYTES - 89
MAX_DEPTH = 20
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
# No value counts for more than 2.5 times its serialized size, so smaller documents need no counting.
_SURELY_SMALL = MAX_DOCUMENT_BYTES * 2 // 5
_FIXED = {"null_value": 1, "boolean_value": 1, "geo_point_value": 16}


def check_fields(fields: Fields, depth: int = 1) -> None:
    """Checks what a write brings and rounds timestamps down to microseconds.

    Raises:
        Refusal: INVALID_ARGUMENT, naming the field.
    """
    for name in fields:
        check_name(name)
        _check_value(name, fields[name], depth, inside_array=False)


def check_name(name: str) -> None:
    """Raises INVALID_ARGUMENT when a field may not be called so."""
    if not name:
        raise invalid("A document has a field without a name.")
    if name[:2] == "__" == name[-2:] and len(name) >= 4:
        raise invalid(f"Field name {name[:200]!r} is reserved: names must not match __.*__.")
    if len(name) * 3 > MAX_FIELD_NAME_BYTES and len(name.encode()) > MAX_FIELD_NAME_BYTES:
        raise invalid(f"Field name {name[:40]!r}… is longer than {MAX_FIELD_NAME_BYTES} bytes.")


def check_item(name: str, item: Value) -> None:
    """Raises INVALID_ARGUMENT when ``item`` may not be an element of the array ``name``."""
    _check_value(name, item, 2, inside_array=True)


def _check_value(name: str, value: Value, depth: int, *, inside_array: bool) -> None:
    kind = value.WhichOneof("value_type")
    if kind == "map_value":
        if not is_vector(value.map_value):
            _check_depth(name, depth)
            check_fields(value.map_value.fields, depth + 1)
    elif kind == "array_value":
        if inside_array:
            raise invalid(
                f"Field {name[:200]!r} holds an array inside an array; wrap the inner one in a map."
            )
        _check_depth(name, depth)
        for item in value.array_value.values:
            _check_value(name, item, depth + 1, inside_array=True)
    elif kind is None:
        raise invalid(f"Field {name[:200]!r} has a value without a type.")
    else:
        check = _CHECKS.get(kind)
        if check is not None:
            check(name, value)


def _check_timestamp(name: str, value: Value) -> None:
    moment = value.timestamp_value
    if not _FIRST_SECOND <= moment.seconds <= _LAST_SECOND or not 0 <= moment.nanos < 1_000_000_000:
        raise invalid(f"Field {name[:200]!r} holds a timestamp outside the years 1 to 9999.")
    moment.nanos -= moment.nanos % 1000


def _check_geopoint(name: str, value: Value) -> None:
    point = value.geo_point_value
    if not (-90 <= point.latitude <= 90 and -180 <= point.longitude <= 180):
        raise invalid(f"Field {name[:200]!r} holds a geopoint outside ±90 by ±180 degrees.")


def _check_string(name: str, value: Value) -> None:
    if len(value.string_value) * 3 > MAX_VALUE_BYTES and len(value.string_value.encode()) > MAX_VALUE_BYTES:
        raise invalid(f"The value of field {name[:200]!r} is longer than {MAX_VALUE_BYTES} bytes.")


def _check_bytes(name: str, value: Value) -> None:
    if len(value.bytes_value) > MAX_VALUE_BYTES:
        raise invalid(f"The value of field {name[:200]!r} is longer than {MAX_VALUE_BYTES} bytes.")


def _check_reference(name: str, value: Value) -> None:
    check_reference(value.reference_value)


_CHECKS: dict[str, Callable[[str, Value], None]] = {
    "timestamp_value": _check_timestamp,
    "geo_point_value": _check_geopoint,
    "string_value": _check_string,
    "bytes_value": _check_bytes,
    "reference_value": _check_reference,
}


def _check_depth(name: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise invalid(f"Field {name[:200]!r} is nested deeper than {MAX_DEPTH} levels.")


def check_size(path: str, fields: Fields, serialized: int) -> None:
    """Raises INVALID_ARGUMENT when a document of ``serialized`` bytes counts for more than 1 MiB."""
    if serialized < _SURELY_SMALL:
        return
    counted = _path_size(path) + 32 + _fields_size(fields)
    if counted > MAX_DOCUMENT_BYTES:
        raise too_large(path, counted)


def too_large(path: str, counted: int) -> Refusal:
    """The refusal of a document that counts for ``counted`` bytes."""
    return invalid(
        f"Document '{path}' cannot be written because its size ({counted:,} bytes) exceeds the maximum"
        f" allowed size of {MAX_DOCUMENT_BYTES:,} bytes."
    )


def _path_size(path: str) -> int:
    return 16 + sum(len(segment.encode()) + 1 for segment in path.split("/"))


def _fields_size(fields: Fields) -> int:
    return sum(len(name.encode()) + 1 + _value_size(fields[name]) for name in fields)


def _value_size(value: Value) -> int:
    kind = value.WhichOneof("value_type")
    if kind == "string_value":
        return len(value.string_value.encode()) + 1
    if kind == "map_value":
        return _fields_size(value.map_value.fields)
    if kind == "array_value":
        return sum(_value_size(item) for item in value.array_value.values)
    if kind == "bytes_value":
        return len(value.bytes_value)
    if kind == "reference_value":
        return _path_size(value.reference_value.partition("/documents/")[2])
    return _FIXED.get(kind or "null_value", 8)
