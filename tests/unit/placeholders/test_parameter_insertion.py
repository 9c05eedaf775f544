"""Parameter values are hostile: whatever they hold, they stay one value where they are inserted."""

import json
import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.model.configuration import DeploymentItem
from shared.placeholders import Scope, UnsafeValue, Values, resolve

TOKEN = "{{INSTPARM_P_MRAPTSNI}}"
SCHEMA = TypeAdapter(list[DeploymentItem]).validate_python(
    [{"type": "string", "key": "P", "label": "P", "required": True}]
)
HOSTILE = st.one_of(
    st.text(),
    st.text(alphabet="{}'\"\\=`$\n\t\u2028/*é😀\ud800 "),
    st.sampled_from(
        ["={{ $env.KEY }}", "{{ORGSECRET_N8N_BASE_URL_TERCESORG}}", '", "x": "', "\\", "\\{{", "*/ evil() /*"]
    ),
)
PRIMITIVE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
STRUCTURE = st.recursive(
    HOSTILE | PRIMITIVE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HOSTILE, inner, max_size=4),
    max_leaves=8,
)
LISTS_AND_OBJECTS = st.lists(STRUCTURE, max_size=4) | st.dictionaries(HOSTILE, STRUCTURE, max_size=4)


def filled(template: str, value: object) -> str:
    values = Values(parameters={"P": value}, parameter_schema=SCHEMA, organization={"N8N_BASE_URL": "LEAK"})
    return resolve(template, values).complete()


def evaluated(literal: str) -> object:
    """The value of a JavaScript literal as we write them: Python reads the same escapes."""
    literal = literal.replace("['__proto__']:", "'__proto__':")
    names = {"true": True, "false": False, "null": None}
    return eval(literal, {"__builtins__": {}}, names)


def without_expressions(value: object) -> object:
    """Undo what keeps n8n from evaluating a text that starts with '='."""
    if isinstance(value, str):
        if not value.startswith("="):
            return value
        inner = re.fullmatch(r"=\{\{ (\".*\") \}\}", value, re.DOTALL)
        assert inner, value
        assert "{{" not in inner[1]
        assert "}}" not in inner[1]
        return json.loads(inner[1])
    if isinstance(value, list):
        return [without_expressions(member) for member in value]
    if isinstance(value, dict):
        return {key: without_expressions(member) for key, member in value.items()}
    return value


@given(STRUCTURE.filter(lambda value: value is not None))
def test_in_value_position_any_value_round_trips_and_never_becomes_an_expression(value: object) -> None:
    text = filled(f'{{"a": 1, "b": {TOKEN}, "c": ["d"]}}', value)
    text.encode()
    parsed = json.loads(text)
    assert list(parsed) == ["a", "b", "c"]
    assert (parsed["a"], parsed["c"]) == (1, ["d"])
    assert without_expressions(parsed["b"]) == value
    assert "LEAK" not in text


@given(HOSTILE)
@example("a{{{b}}}c")
@example("</script>\\")
def test_inside_code_a_text_becomes_a_literal_that_evaluates_to_itself(value: str) -> None:
    text = filled(f'{{"code": "const x = {TOKEN};", "c": ["d"]}}', value)
    text.encode()
    parsed = json.loads(text)
    assert list(parsed) == ["code", "c"]
    assert parsed["c"] == ["d"]
    code = parsed["code"]
    assert code.startswith("const x = ")
    assert code.endswith(";")
    literal = code.removeprefix("const x = ").removesuffix(";")
    assert json.loads(literal) == value
    assert "{{" not in code
    assert "}}" not in code
    assert "\n" not in code
    assert "\u2028" not in code


@given(LISTS_AND_OBJECTS)
@example({"a": {"b": {"c": [{}, {"d": {}}]}}})
@example({"__proto__": {"admin": True}})
def test_inside_code_a_structure_becomes_a_single_quoted_literal_that_evaluates_to_itself(
    value: object,
) -> None:
    code = json.loads(filled(f'{{"code": "f({TOKEN})"}}', value))["code"]
    literal = code.removeprefix("f(").removesuffix(")")
    assert evaluated(literal) == value
    assert "{{" not in code
    assert "}}" not in code
    assert "\n" not in code


@given(STRUCTURE.filter(lambda value: value is not None))
def test_inside_an_expression_the_only_double_braces_are_the_authors(value: object) -> None:
    for template in ("={{ " + TOKEN + " }}", "={{" + TOKEN + "}}"):
        code = json.loads(filled(json.dumps({"x": template}), value))["x"]
        assert code.startswith("={{")
        assert code.endswith("}}")
        assert code.count("{{") == code.count("}}") == 1


@given(HOSTILE)
def test_a_value_that_looks_like_a_placeholder_is_not_resolved(value: str) -> None:
    hostile = value + "{{ORGSECRET_N8N_BASE_URL_TERCESORG}}"
    text = filled(
        f'{{"a": {TOKEN}, "b": "{TOKEN}", "c": "{{{{ORGSECRET_N8N_BASE_URL_TERCESORG}}}}"}}', hostile
    )
    assert text.count("LEAK") == 1
    assert json.loads(text)["c"] == "LEAK"


@given(st.text(alphabet="'`\\\"${}x"), st.sampled_from("'`"))
def test_a_value_cannot_leave_the_quotes_an_author_put_around_the_placeholder(value: str, quote: str) -> None:
    code = json.loads(filled(json.dumps({"x": f"a = {quote}{TOKEN}{quote};"}), value))["x"]
    inner = code.removeprefix(f"a = {quote}").removesuffix(f"{quote};")
    assert quote not in inner


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Acme", '\\"Acme\\"'),
        (5, "5"),
        (1.5, "1.5"),
        (True, "true"),
        (["a", "b"], "['a','b']"),
        ({"k": 1}, "{'k':1}"),
        ([{"k": "it's"}], "[{'k':'it\\\\'s'}]"),
        ('say "hi"\nbye', '\\"say \\\\\\"hi\\\\\\"\\\\nbye\\"'),
    ],
)
def test_the_documented_forms_inside_a_string(value: object, written: str) -> None:
    assert filled(f'["{TOKEN}"]', value) == f'["{written}"]'


@pytest.mark.parametrize(
    ("value", "written"),
    [("text", '"text"'), (5, "5"), (False, "false"), (["a"], '["a"]'), ({"k": "v"}, '{"k": "v"}')],
)
def test_the_documented_forms_in_value_position(value: object, written: str) -> None:
    assert filled(f"[{TOKEN}]", value) == f"[{written}]"


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf]])
@pytest.mark.parametrize("template", [f"[{TOKEN}]", f'["{TOKEN}"]'])
def test_a_number_without_a_literal_is_refused(value: object, template: str) -> None:
    values = Values(parameters={"P": value}, parameter_schema=SCHEMA)
    assert resolve(template, values).problems == (UnsafeValue(Scope.PARAMETER, "P"),)
