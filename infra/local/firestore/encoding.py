"""Firestore values as bytes that compare as Firestore sorts them.

The order of types is null < boolean < NaN < number < timestamp < string < bytes < reference < geopoint
< array < vector < map. Every encoding is self-terminating: none is a prefix of another, so encodings can
be strung together, and their bitwise complement sorts descending.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from hashlib import blake2b

from infra.local.firestore.names import END, path_key
from infra.local.firestore.wire import MapValue, Value

NULL = b"\x10"
FALSE = b"\x18"
TRUE = b"\x19"
NAN = b"\x20"
NUMBER = b"\x21"
TIMESTAMP = b"\x28"
STRING = b"\x30"
BYTES = b"\x38"
REFERENCE = b"\x40"
GEOPOINT = b"\x48"
ARRAY = b"\x50"
VECTOR = b"\x58"
MAP = b"\x60"

INDEXED_BYTES = 1500
_STOP = b"\x00"
_SIGN = 1 << 63
_ALL = (1 << 64) - 1
_EXACT = 1 << 53
_INVERTED = bytes(255 - i for i in range(256))
_pack_double = struct.Struct(">d").pack
_unpack_bits = struct.Struct(">Q").unpack
_pack_bits = struct.Struct(">Q").pack
_pack_moment = struct.Struct(">QI").pack


def encode(value: Value) -> bytes:
    """The sort key of ``value``. A value without a kind counts as null."""
    kind = value.WhichOneof("value_type")
    return NULL if kind is None else _ENCODERS[kind](value)


def indexed(value: Value) -> bytes:
    """``encode``, cut to ``INDEXED_BYTES``: equality stays exact, order beyond the cut is not kept."""
    return clipped(encode(value))


def clipped(key: bytes) -> bytes:
    """``key``, or its first ``INDEXED_BYTES`` bytes and a digest of all when it is longer."""
    if len(key) <= INDEXED_BYTES:
        return key
    return key[:INDEXED_BYTES] + blake2b(key, digest_size=8).digest()


def inverted(key: bytes) -> bytes:
    """The complement of ``key``, which sorts the other way round."""
    return key.translate(_INVERTED)


def after(prefix: bytes) -> bytes | None:
    """The smallest bytes greater than everything that starts with ``prefix``; None when there are none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else None


def is_vector(value: MapValue) -> bool:
    """Whether a map is the disguise of a vector."""
    fields = value.fields
    return "__type__" in fields and fields["__type__"].string_value == "__vector__" and "value" in fields


def _double(number: float) -> bytes:
    (bits,) = _unpack_bits(_pack_double(number + 0.0))
    return _pack_bits(bits ^ _ALL if bits & _SIGN else bits | _SIGN)


def _from_double(value: Value) -> bytes:
    number = value.double_value
    if number != number:
        return NAN
    return NUMBER + _double(number) + b"\x00\x00"


def _from_integer(value: Value) -> bytes:
    """The double at or below the integer, then what is missing: integers beyond 2**53 stay distinct."""
    number = value.integer_value
    if -_EXACT <= number <= _EXACT:
        return NUMBER + _double(float(number)) + b"\x00\x00"
    below = float(number)
    if int(below) > number:
        below = math.nextafter(below, -math.inf)
    return NUMBER + _double(below) + (number - int(below)).to_bytes(2, "big")


def _escaped(raw: bytes) -> bytes:
    return (raw.replace(b"\x00", b"\x00\xff") if b"\x00" in raw else raw) + END


def _from_timestamp(value: Value) -> bytes:
    moment = value.timestamp_value
    return TIMESTAMP + _pack_moment(moment.seconds + _SIGN, moment.nanos)


def _from_array(value: Value) -> bytes:
    return ARRAY + b"".join([encode(item) for item in value.array_value.values]) + _STOP


def _from_map(value: Value) -> bytes:
    fields = value.map_value.fields
    if is_vector(value.map_value):
        items = fields["value"].array_value.values
        return VECTOR + len(items).to_bytes(4, "big") + b"".join([encode(item) for item in items]) + _STOP
    named = sorted((name.encode(), name) for name in fields)
    return MAP + b"".join([STRING + _escaped(raw) + encode(fields[name]) for raw, name in named]) + _STOP


def _from_geopoint(value: Value) -> bytes:
    point = value.geo_point_value
    return GEOPOINT + _double(point.latitude) + _double(point.longitude)


_ENCODERS: dict[str, Callable[[Value], bytes]] = {
    "null_value": lambda value: NULL,
    "boolean_value": lambda value: TRUE if value.boolean_value else FALSE,
    "integer_value": _from_integer,
    "double_value": _from_double,
    "timestamp_value": _from_timestamp,
    "string_value": lambda value: STRING + _escaped(value.string_value.encode()),
    "bytes_value": lambda value: BYTES + _escaped(value.bytes_value),
    "reference_value": lambda value: REFERENCE + path_key(value.reference_value) + END,
    "geo_point_value": _from_geopoint,
    "array_value": _from_array,
    "map_value": _from_map,
}
