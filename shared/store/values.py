"""Firestore's typed values, from and to plain ones.

Plain protobuf classes, taken once out of the client package's wrappers: wrapping every value of a document
costs a request more than everything else it does here.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud.firestore_v1.types import document
from google.protobuf.message import Message

Document = document.Document.pb()
"""The protobuf class of a document."""

Fields = MutableMapping[str, Any]
"""The fields of a protobuf document or map value; the generated classes have no types."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode(values: Mapping[str, object], fields: Fields) -> None:
    """Write values into the fields of a document. Moments need a time zone; sequences become arrays.

    Raises:
        TypeError: a value is of a kind that is stored nowhere.
    """
    for name, value in values.items():
        _encode(value, fields[name])


def decode(fields: Fields) -> dict[str, object]:
    """Return the values of a document; moments in UTC, in microseconds.

    Raises:
        TypeError: a value is of a kind that this platform never writes.
    """
    return {name: _decode(value) for name, value in fields.items()}


def timestamp(moment: datetime, message: Message) -> None:
    """Write a moment into a Timestamp."""
    microseconds = (moment - _EPOCH) // _MICROSECOND
    message.seconds, rest = divmod(microseconds, 1_000_000)
    message.nanos = rest * 1000


def moment(message: Message) -> datetime:
    """Return the moment of a Timestamp in UTC, in microseconds."""
    return _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)


def _encode(value: object, message: Message) -> None:
    match value:
        case str():
            message.string_value = value
        case None:
            message.null_value = 0
        # A bool is an int too.
        case bool():
            message.boolean_value = value
        case int():
            message.integer_value = value
        case float():
            message.double_value = value
        case datetime():
            timestamp(value, message.timestamp_value)
        case bytes():
            message.bytes_value = value
        case Mapping():
            message.map_value.SetInParent()
            encode(value, message.map_value.fields)
        case Sequence():
            message.array_value.SetInParent()
            for item in value:
                _encode(item, message.array_value.values.add())
        case _:
            raise TypeError(f"{type(value).__name__} cannot be stored")


def _decode(message: Message) -> object:
    kind = message.WhichOneof("value_type")
    match kind:
        case "string_value" | "integer_value" | "boolean_value" | "double_value" | "bytes_value":
            plain: object = getattr(message, kind)
            return plain
        case "null_value":
            return None
        case "timestamp_value":
            return moment(message.timestamp_value)
        case "map_value":
            return decode(message.map_value.fields)
        case "array_value":
            return [_decode(item) for item in message.array_value.values]
        case _:
            raise TypeError(f"a {kind} is no value of this platform")
