"""Finding the key of a request (decision 2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from shared.http.authentication import kind_of, presented_key
from shared.model.apikey import KeyKind

BODY = "aB3-_" * 12 + "aB3-"
KEYS = {kind: kind.prefix + BODY for kind in KeyKind}


@pytest.mark.parametrize("kind", KeyKind)
def test_the_prefix_alone_tells_the_kind(kind: KeyKind) -> None:
    assert kind_of(KEYS[kind]) is kind


@given(st.text(max_size=100))
def test_text_that_is_no_key_has_no_kind(text: str) -> None:
    assert kind_of(text) is None


@pytest.mark.parametrize("kind", KeyKind)
def test_a_key_of_one_character_more_or_less_has_no_kind(kind: KeyKind) -> None:
    assert kind_of(KEYS[kind][:-1]) is None
    assert kind_of(KEYS[kind] + "a") is None
    assert kind_of(KEYS[kind] + "\n") is None
    assert kind_of(KEYS[kind][:-1] + "é") is None


@pytest.mark.parametrize("kind", KeyKind)
def test_the_query_string_holds_instance_keys_alone(kind: KeyKind) -> None:
    found = presented_key(Headers(), {"api_key": KEYS[kind]})

    assert found == (KEYS[kind] if kind is KeyKind.INSTANCE else None)


def test_headers_come_before_the_query_string_and_in_their_order() -> None:
    headers = {"x-api-key": "1", "x-process-manager-key": "2", "authorization": "Bearer 3"}
    query = {"api_key": KEYS[KeyKind.INSTANCE]}
    seen = []
    while headers:
        seen.append(presented_key(Headers(headers), query))
        headers.pop(next(iter(headers)))

    assert [*seen, presented_key(Headers(), query)] == ["1", "2", "3", KEYS[KeyKind.INSTANCE]]


@pytest.mark.parametrize("value", ["", "Basic abc", "Bearer", "Bearer ", "abc"])
def test_other_authorization_is_no_key(value: str) -> None:
    assert presented_key(Headers({"authorization": value}), {}) is None
