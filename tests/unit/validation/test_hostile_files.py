"""No file makes the rules break, or takes them long; mending is done once and harms nothing.

``RULES_SIZE=large`` tries a hundred times as many files.
"""

from __future__ import annotations

import gc
import json
import os
import random
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.agreement import corpus
from shared.validation.engine.check import check_use_case, check_workflow
from shared.validation.engine.finding import Finding
from shared.validation.engine.fix import fix_use_case, fix_workflow
from shared.validation.engine.report import as_json, as_text
from shared.validation.engine.sarif import as_sarif
from shared.validation.engine.selection import Selection
from shared.validation.rules.folder_rules import FOLDER_RULES
from shared.validation.rules.workflow_rules import WORKFLOW_RULES

LARGE = os.environ.get("RULES_SIZE") == "large"
MANY = 100 if LARGE else 1
ALL = Selection(include=["ALL"])
BROKEN = {"RULE-ERR", "SCRIPT-ERR"}


def told(findings: list[Finding]) -> None:
    """Render findings as every door does, and see that no rule broke."""
    assert [finding for finding in findings if finding.rule in BROKEN] == []
    json.loads(as_json("x", findings, []))
    json.loads(as_sarif(findings, [*WORKFLOW_RULES, *FOLDER_RULES]))
    as_text(findings, colours=True)


def mutated(seed: int) -> str:
    """Return a workflow that was valid before some of its characters were replaced, lost or doubled."""
    chance = random.Random(seed)
    text = chance.choice(TEXTS)
    for _ in range(chance.randint(1, 8)):
        at, size = chance.randrange(len(text)), chance.choice((0, 1, 1, 2, 20, 200))
        put = chance.choice((*PIECES, text[at : at + size] * 2, ""))
        text = text[:at] + put + text[at + size :]
    return text


PIECES = (
    *('"', "{", "}", "[", "]", ",", ":", "\\", "\n", "\0", "\ud800", "\ufeff", "é", "1e999", "-0", "null"),
    *("{{INSTPARM_X_MRAPTSNI}}", "{{SUBWKFL_a_LFKWBUS}}", '"nodes":7', '"parameters":"x"', "NaN", "[" * 600),
)
TEXTS = [text for _, text in sorted(corpus.workflows(1, 80).items())]


@settings(max_examples=100 * MANY)
@given(st.integers(0, 2**64))
def test_a_file_that_was_damaged_is_judged_and_mended_once(seed: int) -> None:
    text = mutated(seed)

    told(check_workflow(text, "w.json", ALL))
    mended = fix_workflow(text, "w.json", ALL)

    again = fix_workflow(mended.texts["w.json"], "w.json", ALL)
    assert again.texts == mended.texts
    assert again.mended == ()


@settings(max_examples=100 * MANY)
@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_bytes_of_any_kind_are_judged_and_stay_what_they_are(content: bytes) -> None:
    text = content.decode(errors="surrogateescape")
    files = {"config.ts": text, "project.json": text, "workflows/a.json": text, "skills/a/SKILL.md": text}

    told(check_workflow(text, "w.json", ALL))
    told(check_use_case(files, ".", ALL))

    assert fix_use_case(files, ".", ALL).texts["config.ts"] == text


@settings(max_examples=25 * MANY)
@given(st.integers(0, 2**64))
def test_a_folder_that_was_damaged_is_judged_and_mended_once(seed: int) -> None:
    chance = random.Random(seed)
    files = dict(chance.choice(FOLDERS))
    for name in chance.sample(sorted(files), min(2, len(files))):
        text = files[name]
        for _ in range(chance.randint(0, 6)):
            at = chance.randrange(len(text) + 1)
            text = text[:at] + chance.choice(PIECES) + text[at + chance.choice((0, 1, 30)) :]
        files[name] = text

    told(check_use_case(files, ".", ALL))
    mended = fix_use_case(files, ".", ALL)

    assert fix_use_case(mended.texts, ".", ALL).texts == mended.texts


FOLDERS = [
    {name: text for name, text in files.items() if isinstance(text, str)}
    for _, files in sorted(corpus.folders(1, 20, None).items())
]


UNITS = (
    *(
        "a",
        "A",
        "_",
        "0",
        " ",
        "\n",
        "\t",
        '"',
        "'",
        "`",
        "\\",
        "{",
        "}",
        "{{",
        "}}",
        "(",
        ")",
        "[",
        "]",
        "/",
    ),
    *("{{A", "{{INSTPARM_", "{{INSTPARM_A_MRAPTSNI}}", "$json.", "$json.a", "$('", "$('a').item.json.", "-"),
    *(
        "output?.a",
        "output?.a |",
        "---\n",
        "---\na: b\n",
        "a: ",
        "export const ",
        "type: '",
        "/*",
        "//",
        "*/",
    ),
    *("//\n", "A_", "_A", ".a", "a-", "sk-", "Bearer ", "https://a.", "retry-after", '\\"', '"a": ', "  "),
)


def took(run: Callable[[], object]) -> float:
    """Return the least of two times, in seconds of the processor and without those of collecting garbage."""
    gc.disable()
    times = []
    for _ in range(2):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    gc.enable()
    return min(times)


def places(text: str) -> Iterator[dict[str, str]]:
    """Yield folders that hold a text wherever rules look for something."""
    node = {
        "id": "n",
        "name": text,
        "type": "n8n-nodes-base.webhook",
        "parameters": {"v": f"={{{{ {text} }}}}"},
    }
    model = {
        **node,
        "id": "m",
        "name": "m",
        "type": f"@n8n/n8n-nodes-langchain.{text}",
        "credentials": {"a": {"id": text}},
    }
    workflow = json.dumps({"nodes": [node, model], "connections": {}, "settings": {text: text}})
    yield {"config.ts": text, "workflows/a.json": workflow, "skills/a/SKILL.md": text}
    front = f"---\nname: {text}\ndescription: {text}\n{text}\n---\n"
    config = f"export const WORKFLOW_FILES = [{text}];\nconst getConfiguration = () => ({{ a: '{text}' }})"
    yield {"config.ts": config, "workflows/a.json": text, "skills/a/SKILL.md": front}


@pytest.mark.parametrize("unit", UNITS)
def test_repetitions_are_judged_in_time_that_grows_with_them(unit: str) -> None:
    def judged(size: int) -> None:
        for end in ("", "!"):
            for files in places(unit * (size // len(unit)) + end):
                told(check_use_case(files, ".", ALL))

    grows_with_size(judged, 64_000 if LARGE else 3_000)


def grows_with_size(judged: Callable[[int], None], size: int) -> None:
    """Assert that eight times as much takes at most thirty times as long, if it takes long at all."""
    judged(100)
    whole = took(lambda: judged(size))
    if whole > 0.2:
        assert whole < 30 * took(lambda: judged(size // 8))


def nested(levels: int) -> str:
    return '{"nodes":[],"connections":' + '{"a":' * levels + "1" + "}" * levels + "}"


def many_nodes(count: int) -> str:
    nodes = [{"id": f"n{i}", "name": f"N{i}", "type": "n8n-nodes-base.merge"} for i in range(count)]
    chain = {f"N{i}": {"main": [[{"node": f"N{i + 1}"}]]} for i in range(count - 1)}
    return json.dumps({"nodes": nodes, "connections": chain})


def crossing(count: int) -> str:
    nodes = [{"id": f"n{i}", "name": f"N{i}", "type": "n8n-nodes-base.webhook"} for i in range(count)]
    to_all = [[{"node": f"N{i}"} for i in range(count)]]
    return json.dumps({"nodes": nodes, "connections": {f"N{i}": {"main": to_all} for i in range(count)}})


HOSTILE: dict[str, Callable[[int], str]] = {
    "nested lists": lambda size: "[" * size,
    "nested objects": lambda size: nested(size // 10),
    "many nodes": lambda size: many_nodes(size // 100),
    "everything leads everywhere": lambda size: crossing(int((size / 20) ** 0.5)),
    "one long string": lambda size: json.dumps(
        {"nodes": [], "connections": {}, "name": "{{A_" * (size // 4)}
    ),
    "one long expression": lambda size: json.dumps(
        {
            "nodes": [{"name": "a", "type": "x", "parameters": {"v": "={{ " + "$json.a " * (size // 8)}}],
            "connections": {},
        }
    ),
    "quotes": lambda size: '"' * size,
    "backslashes": lambda size: '{"a":"' + "\\" * size + '"}',
    "bare placeholders": lambda size: "{" + '"a":{{INSTPARM_A_MRAPTSNI}},' * (size // 28) + "}",
    "repeated keys": lambda size: "{" + '"nodes":[],' * (size // 11) + '"connections":{}}',
    "YAML dashes": lambda size: "- " * (size // 2),
    "comments": lambda size: "/*" * (size // 2),
    "blanks": lambda size: " " * size,
    "line ends": lambda size: "\n" * size,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_judged_and_mended_in_time_that_grows_with_them(kind: str) -> None:
    def judged(size: int) -> None:
        text = HOSTILE[kind](size)
        told(check_workflow(text, "w.json", ALL))
        told(check_use_case({"config.ts": text, "workflows/a.json": text}, ".", ALL))
        fix_workflow(text, "w.json", ALL)

    grows_with_size(judged, 160_000 if LARGE else 8_000)
