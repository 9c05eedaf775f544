"""``docs/rules.md``: every rule is there, and every example does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from shared.validation.engine.fix import fix_use_case, fix_workflow
from shared.validation.engine.rule import Layer, Rule
from shared.validation.engine.selection import ALIASES, Selection
from shared.validation.page import page, shown
from shared.validation.rules.folder_rules import FOLDER_RULES
from shared.validation.rules.workflow_rules import WORKFLOW_RULES

RULES: list[Rule[Any]] = [*WORKFLOW_RULES, *FOLDER_RULES]
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", page(), re.DOTALL | re.MULTILINE))
FILE = re.compile(r"^--- (\S+) \(bad\)\n\+\+\+ .*?\n(.*?)(?=^--- \S+ \(bad\)|^```)", re.DOTALL | re.MULTILINE)
HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+\S+ @@$")


def test_every_rule_has_a_section_with_what_there_is_to_know() -> None:
    assert list(SECTIONS) == [rule.id for layer in Layer for rule in RULES if rule.layer is layer]
    for rule in RULES:
        facts = SECTIONS[rule.id].split("*")[1]
        assert rule.severity.value in facts
        assert ("not fixable" in facts) is not rule.fixable
        assert ("when it is named" in facts) is rule.excluded
        assert all(alias in facts for alias, id_ in ALIASES.items() if id_ == rule.id)
        assert rule.doc in SECTIONS[rule.id]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_bad_example_is_found_and_what_the_page_changes_makes_it_good(rule: Rule[Any]) -> None:
    files = dict(rule.bad())
    found = shown(rule, files)
    assert found
    assert all(finding.message in SECTIONS[rule.id] for finding in found)

    for name, diff in re.findall(
        r"^--- (\S+) \(bad\)\n\+\+\+ .*?\n(.*?)(?=^--- \S+ \(bad\)|^```)",
        SECTIONS[rule.id],
        re.DOTALL | re.MULTILINE,
    ):
        files[name] = patched(files.get(name, ""), diff)

    good = {name: text for name, text in files.items() if text}
    assert good == dict(rule.good())
    assert not shown(rule, good)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fixable], ids=lambda rule: rule.id)
def test_a_fixable_bad_example_is_clean_once_it_is_fixed(rule: Rule[Any]) -> None:
    only = Selection(include=(rule.id,))
    if rule.layer is Layer.FOLDER:
        fixed = fix_use_case(rule.bad(), "case", only)
    else:
        ((name, text),) = rule.bad().items()
        fixed = fix_workflow(text, name, only)

    assert fixed.mended
    assert not shown(rule, fixed.texts)


def patched(text: str, diff: str) -> str:
    """Apply the hunks of a unified diff, checking what it says is there."""
    before, after, last = text.splitlines(keepends=True), list[str](), 0
    ends = ""
    for line in diff.splitlines(keepends=True):
        if start := HUNK.match(line.rstrip()):
            begin = int(start[1]) - (1 if start[2] != "0" else 0)
            after += before[last:begin]
            last = begin
        elif line.startswith("\\"):
            if ends == "+":
                after[-1] = after[-1].removesuffix("\n")
        elif line.startswith("+"):
            after.append(line[1:])
        else:
            assert before[last].rstrip("\n") == line[1:].rstrip("\n")
            after += [before[last]] if line.startswith(" ") else []
            last += 1
        ends = line[0]
    return "".join([*after, *before[last:]])


def test_the_page_is_the_one_in_the_repository() -> None:
    assert (Path(__file__).resolve().parents[3] / "docs" / "rules.md").read_text() == page()
