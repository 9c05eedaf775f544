from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.errors import InvalidRequest
from shared.model.configuration import DeploymentItem
from shared.validation.parameters import coerce_parameters, effective_parameters, missing_parameters

RAW: list[dict[str, Any]] = [
    {"type": "string", "key": "NAME", "required": True},
    {"type": "number", "key": "COUNT", "min": 1},
    {"type": "boolean", "key": "ON", "defaultValue": False},
    {"type": "section", "title": "S", "inputSchema": [{"type": "array", "key": "TAGS", "label": "T"}]},
    {"type": "object", "key": "BOX", "schema": [{"type": "number", "key": "n", "label": "N"}]},
    {"type": "objectArray", "key": "ROWS", "itemSchema": []},
    {"type": "multiselect", "key": "DAYS", "options": [{"value": "mon"}, {"value": "tue"}]},
]
SCHEMA = TypeAdapter(list[DeploymentItem]).validate_python([{"label": "L", **item} for item in RAW])


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("NAME", "5", "5"),
        ("COUNT", "5", 5),
        ("COUNT", " 1.5 ", 1.5),
        ("COUNT", "1e3", 1000.0),
        ("ON", "true", True),
        ("ON", "FALSE", False),
        ("TAGS", '["a", "b"]', ["a", "b"]),
        ("BOX", '{"n": 1}', {"n": 1}),
        ("ROWS", '[{"x": 1}]', [{"x": 1}]),
        ("DAYS", '["mon"]', ["mon"]),
    ],
)
def test_texts_from_a_command_line_become_the_declared_type(key: str, text: str, value: object) -> None:
    coerced = coerce_parameters(SCHEMA, {key: text})
    assert coerced == {key: value}
    assert type(coerced[key]) is type(value)


@pytest.mark.parametrize(
    "values", [{"COUNT": 5}, {"ON": False}, {"TAGS": []}, {"BOX": {}}, {"ROWS": [{}]}, {"COUNT": None}]
)
def test_typed_values_pass_unchanged_and_null_unsets(values: dict[str, object]) -> None:
    assert coerce_parameters(SCHEMA, values) == values


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"COUNT": "many"}, "deploymentParameters.COUNT must be a number"),
        ({"COUNT": "1_000"}, "deploymentParameters.COUNT must be a number"),
        ({"COUNT": "1e9999"}, "deploymentParameters.COUNT must be a number"),
        ({"COUNT": "0"}, "deploymentParameters.COUNT must be at least 1"),
        ({"ON": "yes"}, "deploymentParameters.ON must be true or false"),
        ({"TAGS": "a,b"}, "deploymentParameters.TAGS must be a list"),
        ({"TAGS": [1]}, "deploymentParameters.TAGS[0] must be text"),
        ({"BOX": '{"n": "x"}'}, "deploymentParameters.BOX.n must be a number"),
        ({"DAYS": ["sun"]}, "deploymentParameters.DAYS[0] must be one of mon, tue"),
        ({"NAME": 5}, "deploymentParameters.NAME must be text"),
        ({"NAME": ""}, "deploymentParameters.NAME is required"),
        ({"NAME": None}, "deploymentParameters.NAME is required"),
        ({"OTHER": 1}, "deploymentParameters.OTHER is not a parameter"),
    ],
)
def test_what_does_not_fit_or_is_unknown_is_refused_by_name(values: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        coerce_parameters(SCHEMA, values)
    assert named in caught.value.message
    assert caught.value.status == 400


def test_the_effective_value_is_the_stored_one_then_the_authors_default_then_the_fields() -> None:
    stored = {"COUNT": 7, "GONE": 1}
    defaults = {"COUNT": 3, "NAME": "Acme"}
    assert effective_parameters(SCHEMA, defaults, stored) == {"COUNT": 7, "NAME": "Acme", "ON": False}
    assert effective_parameters(SCHEMA, defaults, {"ON": True})["ON"] is True


def test_an_unset_required_parameter_is_missing_and_an_optional_one_is_not() -> None:
    assert missing_parameters(SCHEMA, {}) == ["NAME"]
    assert missing_parameters(SCHEMA, {"NAME": ""}) == ["NAME"]
    assert missing_parameters(SCHEMA, {"NAME": "x"}) == []


@given(st.text())
def test_any_text_for_any_parameter_is_accepted_or_refused_politely(text: str) -> None:
    for key in ("NAME", "COUNT", "ON", "TAGS", "BOX", "ROWS", "DAYS"):
        with suppress(InvalidRequest):
            assert list(coerce_parameters(SCHEMA, {key: text})) == [key]
