"""Values on their way into Firestore and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.cloud.firestore_v1 import _helpers
from google.cloud.firestore_v1.types import document
from hypothesis import given
from hypothesis import strategies as st

from shared.model.execution import ExecutionStatus
from shared.store.values import Document, decode, encode

INTEGERS = st.integers(-(2**63), 2**63 - 1)
MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False) | TEXTS | st.binary() | MOMENTS
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=5)


def encoded(fields: dict[str, object]) -> Any:
    message = Document()
    encode(fields, message.fields)
    return message


@given(FIELDS)
def test_what_is_stored_is_what_is_read_back(fields: dict[str, object]) -> None:
    stored = encoded(fields).SerializeToString()

    assert decode(Document.FromString(stored).fields) == fields


@given(FIELDS)
def test_kinds_survive_where_python_calls_them_equal(fields: dict[str, object]) -> None:
    read = decode(encoded(fields).fields)

    assert {name: type(value) for name, value in read.items()} == {
        name: type(value) for name, value in fields.items()
    }


@given(FIELDS)
def test_values_are_encoded_as_googles_client_encodes_them(fields: dict[str, object]) -> None:
    theirs = document.Document(fields=_helpers.encode_dict(fields))

    assert encoded(fields) == document.Document.pb(theirs)


def test_a_moment_is_kept_whatever_its_time_zone() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 123456, timezone(timedelta(hours=5, minutes=30)))

    read = decode(encoded({"at": moment}).fields)

    assert read == {"at": moment}
    assert str(read["at"]) == "2026-03-01 06:30:00.123456+00:00"


def test_an_enumerations_value_is_stored_as_text() -> None:
    assert encoded({"status": ExecutionStatus.PENDING}).fields["status"].string_value == "pending"


def test_what_has_no_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="complex cannot be stored"):
        encoded({"value": 1j})


def test_a_kind_that_is_never_written_is_not_guessed_at() -> None:
    message = Document()
    message.fields["place"].geo_point_value.latitude = 48.1

    with pytest.raises(TypeError, match="geo_point_value"):
        decode(message.fields)
