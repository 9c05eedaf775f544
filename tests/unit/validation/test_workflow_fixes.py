"""Fixes: they mend what they say, change nothing else, and are looked at again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.validation.engine.edits import Drop, Put, applied
from shared.validation.engine.fix import fix_use_case, fix_workflow, unified_diff
from shared.validation.engine.rule import Layer, Rule
from shared.validation.engine.selection import Selection
from shared.validation.engine.source import Source
from shared.validation.rules.folder_rules import FOLDER_RULES
from shared.validation.rules.workflow_rules import WORKFLOW_RULES

RULES: list[Rule[Any]] = [*WORKFLOW_RULES, *FOLDER_RULES]
FIXABLE = [rule for rule in RULES if rule.fixable]
EVERYTHING = Selection()


@pytest.mark.parametrize("rule", FIXABLE, ids=lambda rule: rule.id)
def test_a_fix_leaves_nothing_of_what_it_mends(rule: Rule[Any]) -> None:
    files = rule.bad()
    fixed = (
        fix_use_case(files, "case", EVERYTHING)
        if rule.layer is Layer.FOLDER
        else fix_workflow(next(iter(files.values())), "w.json", EVERYTHING)
    )

    assert rule.id in {finding.rule for finding in fixed.mended}
    assert rule.id not in {finding.rule for finding in fixed.left}


@pytest.mark.parametrize("rule", FIXABLE, ids=lambda rule: rule.id)
def test_fixing_twice_is_fixing_once(rule: Rule[Any]) -> None:
    files = rule.bad()
    once = fix_use_case(files, "case", EVERYTHING)
    again = fix_use_case(once.texts, "case", EVERYTHING)

    assert again.texts == once.texts


def test_a_fix_changes_nothing_else_byte_for_byte() -> None:
    text = (
        '{ "name" : "Odd   layout",\r\n\t"nodes":[ {"name":"Look","type":"n8n-nodes-base.postgres",\r\n'
        '\t\t"position":[1.0, 2e0], "notes":"caf\\u00e9 é" } ],\n  "connections": {  } , "settings":{} }'
    )
    only = Selection(include=["DB-ALWAYS-OUTPUT"])

    (mended,) = fix_workflow(text, "w.json", only).texts.values()

    assert mended.replace(', "alwaysOutputData": true', "") == text
    assert json.loads(mended)["nodes"][0]["alwaysOutputData"] is True


def test_a_diff_shows_what_would_change() -> None:
    before = '{\n  "nodes": [],\n  "connections": {},\n  "settings": {\n    "executionOrder": "v0"\n  }\n}\n'
    only = Selection(include=["WORKFLOW-SETTINGS"])

    (after,) = fix_workflow(before, "w.json", only).texts.values()
    diff = unified_diff("w.json", before, after)

    assert '-    "executionOrder": "v0"\n+    "executionOrder": "v1",\n' in diff
    assert diff.startswith("--- a/w.json\n+++ b/w.json\n")


TEXTS = st.text(max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=5)


@given(OBJECTS, TEXTS, VALUES, st.sampled_from([None, 1, 2, 4, "\t"]), st.booleans())
def test_putting_a_member_is_putting_it_into_the_value(
    given_: dict[str, Any], name: str, value: Any, indent: int | str | None, ascii_: bool
) -> None:
    text = json.dumps({"outer": given_, "z": 1}, indent=indent, ensure_ascii=ascii_)

    mended = applied(Source("x.json", text), [(Put("/outer", name, value),)])

    assert json.loads(mended) == {"outer": {**given_, name: value}, "z": 1}


@given(OBJECTS.filter(bool), st.data(), st.sampled_from([None, 2, "\t"]))
def test_dropping_a_member_is_dropping_it_from_the_value(
    given_: dict[str, Any], data: st.DataObject, indent: int | str | None
) -> None:
    name = data.draw(st.sampled_from(sorted(given_)))
    text = json.dumps(given_, indent=indent)

    mended = applied(Source("x.json", text), [(Drop("", name),)])

    assert json.loads(mended) == {key: value for key, value in given_.items() if key != name}
