"""What of a trigger's body is the payload (platform §13.3)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.services.runs.trigger import payload_of

names = st.sampled_from(["payload", "data", "body", "", "ü"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(names, json_values, max_size=3)


@given(objects, objects)
def test_an_object_under_payload_is_the_payload_and_nothing_beside_it(
    payload: dict[str, object], beside: dict[str, object]
) -> None:
    assert payload_of({**beside, "payload": payload}) == payload


@given(objects.filter(lambda body: "payload" not in body))
def test_an_object_without_that_key_is_the_payload_itself(body: dict[str, object]) -> None:
    assert payload_of(body) == body


@given(json_values.filter(lambda value: value is not None and not isinstance(value, dict)))
def test_what_is_no_object_goes_under_data(value: object) -> None:
    assert payload_of(value) == {"data": value}
    assert payload_of({"payload": value}) == {"data": value}


def test_nothing_is_an_empty_payload() -> None:
    assert payload_of(None) == {}
    assert payload_of({}) == {}
    assert payload_of({"payload": None}) == {}


@given(json_values)
def test_the_payload_is_always_an_object(body: object) -> None:
    assert isinstance(payload_of(body), dict)
