"""Parsing bodies (api §1.2)."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidRequest
from shared.http.bodies import parse_json, validate
from shared.model.document import Document

plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text()
json_values = st.recursive(
    plain.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


class Order(Document):
    """A body with a secret in it."""

    order_number: int
    api_secret: str


@given(json_values)
def test_any_json_value_is_parsed_as_it_is(value: object) -> None:
    assert parse_json(orjson.dumps(value)) == value


def is_json(raw: bytes) -> bool:
    try:
        json.loads(raw.decode())
    except ValueError:
        return not raw.strip()
    return True


@given(st.binary(max_size=60).filter(lambda raw: not is_json(raw)))
def test_any_other_bytes_are_a_bad_request_that_says_where(raw: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"not valid JSON \(line \d+, column \d+\)") as refusal:
        parse_json(raw)

    assert (refusal.value.status, refusal.value.code) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("raw", [b"", b" ", b"\r\n\t"])
def test_nothing_is_an_empty_object(raw: bytes) -> None:
    assert parse_json(raw) == {}


@given(json_values.filter(lambda value: not isinstance(value, dict)))
def test_what_is_no_object_never_becomes_a_model(value: object) -> None:
    with pytest.raises(InvalidRequest, match="object"):
        validate(Order, value)


def test_a_broken_field_is_named_as_on_the_wire_and_its_value_is_not_repeated() -> None:
    with pytest.raises(InvalidRequest) as missing:
        validate(Order, {"apiSecret": "the-secret"})
    with pytest.raises(InvalidRequest) as wrong:
        validate(Order, {"orderNumber": "the-secret", "apiSecret": "the-secret"})

    for error in (missing.value, wrong.value):
        assert error.details["field"] == "orderNumber"
        assert "the-secret" not in error.message + str(error.details)


def test_unknown_fields_are_ignored() -> None:
    assert validate(Order, {"orderNumber": 1, "apiSecret": "s", "extra": {}}).order_number == 1
