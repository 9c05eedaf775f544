import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.errors import InvalidPayload
from shared.model.configuration import FormField, FormItem, Section
from shared.validation.payload import validate_payload

ITEMS = TypeAdapter(list[FormItem])


def schema(*items: dict[str, Any]) -> list[FormField | Section]:
    return ITEMS.validate_python([{"label": "L", **item} for item in items])


def refused(items: list[FormField | Section], payload: object) -> str:
    with pytest.raises(InvalidPayload) as caught:
        validate_payload(items, payload)
    assert caught.value.code == "INVALID_PAYLOAD"
    return caught.value.message


MEMBER = {"type": "number", "key": "n", "label": "N", "required": True}
OPTIONS = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]

# field, values that fit, values that do not
CASES: list[tuple[dict[str, Any], list[object], list[object]]] = [
    ({"type": "string"}, ["x", " "], [1, True, ["x"], {"a": 1}]),
    ({"type": "text", "minLength": 2, "maxLength": 3}, ["ab", "abc", "\n\n"], ["a", "abcd"]),
    ({"type": "string", "maxLength": 2}, ["😀"], ["😀a"]),
    ({"type": "string", "regex": "^[a-z]+$"}, ["abc"], ["ABC", "abc\n", "a1"]),
    ({"type": "string", "regex": "b"}, ["abc"], ["acd"]),
    ({"type": "number"}, [0, 1.5, -3, 10**400], ["1", True, False, float("nan"), float("inf"), [1]]),
    ({"type": "number", "numberType": "integer"}, [1, 2.0], [1.5]),
    ({"type": "number", "min": 1, "max": 2}, [1, 2, 1.5], [0, 2.1]),
    ({"type": "boolean"}, [True, False], [0, 1, "true", "x"]),
    ({"type": "date"}, ["2024-02-29"], ["2023-02-29", "29.02.2024", "2024-2-9", "20240229", 5]),
    ({"type": "date", "minDate": "2024-01-01"}, ["2024-01-01"], ["2023-12-31"]),
    ({"type": "date", "maxDate": "2024-12-31"}, ["2024-12-31"], ["2025-01-01", "2024-02-29T00:00"]),
    ({"type": "select", "options": OPTIONS}, ["a"], ["c", "A", 1, ["a"]]),
    ({"type": "radio", "options": [{"value": 1}, {"value": True}]}, [1, True], ["1", 1.0, False]),
    ({"type": "multiselect", "options": OPTIONS}, [["a"], ["a", "b"]], ["a", ["c"], [["a"]]]),
    ({"type": "multiselect", "options": OPTIONS, "minSelections": 2}, [["a", "b"]], [["a"]]),
    ({"type": "multiselect", "options": OPTIONS, "maxItems": 1}, [["a"]], [["a", "b"]]),
    ({"type": "file"}, ["doc1", {"fileName": "x"}], [5, ["doc1"]]),
    ({"type": "array", "itemField": {"type": "number", "max": 5}}, [[1, 5]], [[6], ["1"], "1", {"0": 1}]),
    ({"type": "array", "itemField": {"type": "string"}, "minItems": 2}, [["a", "b"]], [["a"]]),
    ({"type": "array", "maxItems": 2}, [["a", "b"]], [["a"] * 3]),
    ({"type": "array"}, [["a"]], [[1]]),
    ({"type": "object", "schema": [MEMBER]}, [{"n": 1}, {"n": 1, "x": 1}], [{"n": "1"}, [1], "n"]),
    ({"type": "objectArray", "itemSchema": [MEMBER]}, [[{"n": 1}]], [[{}], [1], {"n": 1}]),
]
FITTING = [(field, value) for field, fitting, _ in CASES for value in fitting]
UNFITTING = [(field, value) for field, _, unfitting in CASES for value in unfitting]


@pytest.mark.parametrize(("field", "value"), FITTING)
def test_a_value_that_fits_its_field_passes(field: dict[str, Any], value: object) -> None:
    validate_payload(schema({**field, "key": "f", "required": True}), {"f": value})


@pytest.mark.parametrize(("field", "value"), UNFITTING)
@pytest.mark.parametrize("required", [True, False])
def test_a_value_that_does_not_fit_is_refused_whether_required_or_not(
    field: dict[str, Any], value: object, required: bool
) -> None:
    message = refused(schema({**field, "key": "f", "required": required}), {"f": value})
    assert "f" in message.partition(": ")[2]


@pytest.mark.parametrize("payload", [{}, {"f": None}, {"f": ""}, {"f": []}, {"f": {}}])
@pytest.mark.parametrize("field", [field for field, _, _ in CASES])
def test_a_required_field_must_not_be_missing_empty_or_null(
    field: dict[str, Any], payload: dict[str, object]
) -> None:
    assert "f is required" in refused(schema({**field, "key": "f", "required": True}), payload)


@pytest.mark.parametrize("field", [field for field, _, _ in CASES])
def test_an_optional_field_may_be_missing_or_null_whatever_its_limits(field: dict[str, Any]) -> None:
    items = schema({**field, "key": "f"})
    validate_payload(items, {})
    validate_payload(items, {"f": None})


@pytest.mark.parametrize("kind", ["string", "text", "date", "file"])
def test_an_optional_text_left_alone_in_a_form_arrives_empty_and_passes(kind: str) -> None:
    validate_payload(schema({"type": kind, "key": "f"}), {"f": ""})


def test_an_empty_text_is_no_number_and_no_boolean_even_when_optional() -> None:
    message = refused(
        schema({"type": "number", "key": "n"}, {"type": "boolean", "key": "b"}), {"n": "", "b": ""}
    )
    assert "n must be a number" in message
    assert "b must be true or false" in message


def test_every_offending_field_is_named_nested_ones_by_path() -> None:
    items = schema(
        {
            "type": "objectArray",
            "key": "items",
            "itemSchema": [{"type": "string", "key": "name", "label": "N", "required": True}],
        },
        {"type": "number", "key": "count"},
        {"type": "array", "key": "tags", "itemField": {"type": "string"}},
        {"type": "object", "key": "address", "schema": [{"type": "string", "key": "zip", "label": "Z"}]},
    )
    payload = {
        "items": [{"name": "a"}, {"name": "b"}, {}],
        "count": "many",
        "tags": ["a", 5],
        "address": {"zip": 75001},
    }
    message = refused(items, payload)
    for part in ("items[2].name is required", "count must be", "tags[1] must be", "address.zip must be"):
        assert part in message
    assert "items[0]" not in message


def test_a_sections_fields_belong_to_the_surrounding_object() -> None:
    items = ITEMS.validate_python(
        [
            {
                "type": "section",
                "title": "S",
                "inputSchema": [{"type": "string", "key": "a", "label": "A", "required": True}],
            }
        ]
    )
    validate_payload(items, {"a": "x"})
    assert "a is required" in refused(items, {"S": {"a": "x"}})


def test_unknown_extra_fields_pass_at_every_level() -> None:
    items = schema({"type": "object", "key": "o", "schema": []})
    validate_payload(items, {"o": {"extra": 1}, "executionMetadata": {}, "x": None})


@pytest.mark.parametrize("payload", [None, [], "text", 5, True])
def test_a_payload_that_is_no_object_is_refused(payload: object) -> None:
    assert "must be an object" in refused(schema({"type": "string", "key": "a"}), payload)


def test_the_authors_words_replace_the_pattern_in_the_message() -> None:
    items = schema({"type": "string", "key": "zip", "regex": "^[0-9]{5}$", "regexError": "five digits"})
    message = refused(items, {"zip": "abc"})
    assert "five digits" in message
    assert "[0-9]" not in message


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        (r"^(?=.*\d)(?=.*[A-Z]).{8,}$", "Passw0rdX", "password"),
        (r"^(?<a>x)\k<a>$", "xx", "xy"),
        (r"^[^]$", "\n", "ab"),
        (r"^\u{41}$", "A", "B"),
        (r"^\d+$", "12", "١٢"),
        (r"^a\$$", "a$", "a"),
        (r"^[$^]+$", "$^", "x"),
        (r"^a/b\/c$", "a/b/c", "abc"),
        (r"^\p{Lu}$", "É", "é"),
    ],
)
def test_patterns_mean_what_they_mean_in_javascript(pattern: str, fits: str, fails: str) -> None:
    items = schema({"type": "string", "key": "a", "regex": pattern})
    validate_payload(items, {"a": fits})
    refused(items, {"a": fails})


def test_a_pattern_that_would_run_forever_is_given_up_once_and_for_all_values() -> None:
    items = schema({"type": "array", "key": "a", "itemField": {"type": "string", "regex": r"^(\w|\w\w)+$"}})
    evil = "a" * 60 + "!"
    started = time.monotonic()
    message = refused(items, {"a": [evil] * 90})
    assert time.monotonic() - started < 2
    assert "a[0] could not be checked" in message
    assert "a[89] could not be checked" in message


def test_a_pattern_that_cannot_be_read_does_not_shut_a_deployed_trigger() -> None:
    validate_payload(schema({"type": "string", "key": "a", "regex": "("}), {"a": "x"})


def test_the_message_stays_small_however_wrong_the_payload_is() -> None:
    items = schema({"type": "array", "key": "a", "itemField": {"type": "number"}})
    assert len(refused(items, {"a": ["x"] * 100_000})) < 10_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
EVERYTHING = schema(*({**field, "key": f"f{index}"} for index, (field, _, _) in enumerate(CASES)))


@given(st.dictionaries(st.sampled_from([f"f{index}" for index in range(len(CASES))]), JSON) | JSON)
def test_any_payload_is_either_accepted_or_refused_with_a_message(payload: object) -> None:
    with suppress(InvalidPayload):
        validate_payload(EVERYTHING, payload)
