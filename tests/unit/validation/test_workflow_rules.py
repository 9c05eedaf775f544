"""Rules of workflows and use cases: every one with its own examples, whatever else a text holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.tokens import Scope
from shared.validation.engine.check import check_use_case, check_workflow
from shared.validation.engine.examples import INIT, SUBMIT, chain, node, parent, webhook
from shared.validation.engine.finding import Finding, Severity
from shared.validation.engine.report import as_json, is_valid
from shared.validation.engine.rule import Layer, Rule
from shared.validation.engine.sarif import as_sarif
from shared.validation.engine.selection import ALIASES, Selection
from shared.validation.engine.source import Source
from shared.validation.rules.folder_rules import FOLDER_RULES
from shared.validation.rules.layout import laid_out
from shared.validation.rules.workflow_rules import WORKFLOW_RULES

RULES: list[Rule[Any]] = [*WORKFLOW_RULES, *FOLDER_RULES]


def found_by(rule: Rule[Any], kind: str) -> list[Finding]:
    files = getattr(rule, kind)()
    default_and_own = Selection(include=["DEFAULT", rule.id])
    if rule.layer is Layer.FOLDER:
        return check_use_case(files, "case", default_and_own)
    (text,) = files.values()
    return check_workflow(text, "workflow.json", default_and_own)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_finds_its_bad_example_and_all_rules_like_its_good_one(rule: Rule[Any]) -> None:
    assert rule.id in [finding.rule for finding in found_by(rule, "bad")]
    assert found_by(rule, "good") == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_it_demands_and_what_to_do(rule: Rule[Any]) -> None:
    own = [finding for finding in found_by(rule, "bad") if finding.rule == rule.id]

    assert rule.doc
    assert all(finding.message for finding in own)
    assert all(finding.fixable for finding in own) is rule.fixable


def test_ids_are_unique_and_aliases_lead_to_rules() -> None:
    ids = [rule.id for rule in RULES]

    assert len(ids) == len(set(ids))
    assert set(ALIASES.values()) <= set(ids)


def test_findings_say_where() -> None:
    text = chain(webhook(), INIT, node("Set", "set"), SUBMIT)

    (found,) = check_workflow(text, "w.json")

    assert (found.rule, found.pointer) == ("R10", "/nodes/2/name")
    assert text.splitlines()[(found.line or 0) - 1][(found.column or 0) - 1 :].startswith('"Set"')


def test_places_behind_bare_placeholders_are_those_of_the_text() -> None:
    quoted = parent(node("Greet", "set", {"text": "X", "rounds": 1}), node("Set", "set"))
    bare = quoted.replace('"X"', Scope.PARAMETER.placeholder("GREETING"))

    (found,) = check_workflow(bare, "w.json")

    line = bare.splitlines()[(found.line or 0) - 1]
    assert line[(found.column or 0) - 1 :].startswith('"Set"')


def test_rules_are_chosen_by_name_alias_and_case() -> None:
    text = chain(webhook(), node("Set", "set"))

    def ids(**chosen: Any) -> list[str]:
        return [finding.rule for finding in check_workflow(text, "w.json", Selection(**chosen))]

    assert ids() == ["R10", "CODIKA-INIT"]
    assert ids(include=["ck-init"]) == ["CODIKA-INIT"]
    assert ids(exclude=["CK-INIT"]) == ["R10"]
    assert ids(include=["r10", "CK-INIT"], exclude=["R10"]) == ["CODIKA-INIT"]


def test_strict_and_severities_say_what_counts() -> None:
    text = parent(node("Tell the team", "slack"))

    found = check_workflow(text, "w.json")
    strict = check_workflow(text, "w.json", Selection(strict=True))
    softened = check_workflow(text, "w.json", Selection(severities={"RETRY-BACKOFF": Severity.NIT}))

    assert is_valid(found)
    assert not is_valid(strict)
    assert [finding.severity for finding in softened] == [Severity.NIT]


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", '{"nodes": []}', "[" * 100_000, '{"a":' * 2000, "NaN"]
)
def test_what_is_no_workflow_is_told_by_one_rule(text: str) -> None:
    assert {finding.rule for finding in check_workflow(text, "w.json")} == {"JSON-001"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
GOOD = [json.loads(next(iter(rule.good().values()))) for rule in WORKFLOW_RULES]
TYPES = st.sampled_from([node["type"] for workflow in GOOD for node in workflow["nodes"]])
FIELDS = ["id", "name", "type", "parameters", "credentials", "webhookId", "retryOnFail", "position"]
NODES = st.dictionaries(
    st.sampled_from(FIELDS),
    VALUES,
).flatmap(lambda given: TYPES.map(lambda type_: {"type": type_, **given}))


@given(st.lists(NODES, max_size=4), VALUES, VALUES)
def test_no_workflow_makes_a_rule_break(nodes: list[dict[str, Any]], connections: Any, settings: Any) -> None:
    text = json.dumps({"nodes": nodes, "connections": connections, "settings": settings})

    found = check_workflow(text, "w.json")

    assert not {finding.rule for finding in found} & {"RULE-ERR", "SCRIPT-ERR"}
    json.loads(as_json("w.json", found, ["w.json"]))
    json.loads(as_sarif(found, RULES))


@given(st.text(alphabet="{}[]\",:'`/*$ab \n\\=>.()INSTPARM_", max_size=400))
def test_no_configuration_makes_a_rule_break(text: str) -> None:
    files = {"config.ts": text, "workflows/main.json": text, "skills/a/SKILL.md": text}

    found = check_use_case(files, "case")

    assert not {finding.rule for finding in found} & {"RULE-ERR", "SCRIPT-ERR"}


ODD_NUMBERS = st.sampled_from([0.5, 1.0, 4.2, -0.0, 1e-5, 1e20])
NAMES = st.text(alphabet="a1: {", max_size=3)
LAYOUTS = st.recursive(
    st.none() | st.booleans() | st.integers() | ODD_NUMBERS | st.text(alphabet='ab"\\\n{}[],: é', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def laid_out_anew(text: str) -> str | None:
    return laid_out(Source("w.json", text))


@given(LAYOUTS, st.sampled_from([None, 1, 2, 4]), st.booleans())
def test_a_layout_says_the_same_and_is_final(value: Any, indent: int | None, ascii_: bool) -> None:
    written = laid_out_anew(json.dumps({"v": value}, indent=indent, ensure_ascii=ascii_))

    if written is not None:
        assert json.loads(written) == {"v": value}
        assert laid_out_anew(written) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"v":[\n  ]}', '{\n  "v": []\n}\n'),
        ('{"v": {\n}}', '{\n  "v": {}\n}\n'),
        (
            '{"b": 1, "10": 2, "9": {"a": null}}',
            '{\n  "9": {\n    "a": null\n  },\n  "10": 2,\n  "b": 1\n}\n',
        ),
        ('{"01": 1, "-1": 2, "0": true}', '{\n  "0": true,\n  "01": 1,\n  "-1": 2\n}\n'),
        (
            "[1.0, -0.0, 0.1e1, 2e0, 12.5, 1e15]",
            "[\n  1,\n  0,\n  1,\n  2,\n  12.5,\n  1000000000000000\n]\n",
        ),
        (
            "[1.2345678901234567e20, 1e20, 123456789012345680.0, 1.5e300, 9007199254740994.0]",
            "[\n  123456789012345670000,\n  100000000000000000000,\n  123456789012345680,\n  1.5e+300,"
            "\n  9007199254740994\n]\n",
        ),
        ('["\\u00e9\\u0007\\/\\ud83d\\ude00\\u2028"]', '[\n  "é\\u0007/😀\u2028"\n]\n'),
        ('["\\uD800"]', '[\n  "\\ud800"\n]\n'),
        ('["a\udcffb"]', '[\n  "a\udcffb"\n]\n'),
        ("[0.00001]", None),
        ("[9007199254740993]", None),
        ("[" * 400 + "]" * 400, None),
    ],
)
def test_a_layout_is_as_javascript_writes_it(text: str, written: str | None) -> None:
    assert laid_out_anew(text) == written
