"""Layer 3: language models and what they answer (platform §23.5, 6 and 9)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from shared.pattern import pattern
from shared.validation.engine.edits import Put
from shared.validation.engine.examples import node, one, parent
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Text, Workflow, object_of, text_of

_LANGCHAIN = "@n8n/n8n-nodes-langchain."
_CHAIN = f"{_LANGCHAIN}chainLlm"
_PARSER = f"{_LANGCHAIN}outputParserStructured"
_ANTHROPIC = f"{_LANGCHAIN}lmChatAnthropic"

CURRENT_MODELS = (
    "claude-sonnet-4-20250514",
    "claude-opus-4-20250514",
    "claude-haiku-4-5-20251001",
    "claude-sonnet-4-6",
    "claude-opus-4-6",
    "claude-haiku-4-5",
)
_REPLACEMENTS = {
    "opus": "claude-opus-4-20250514",
    "haiku": "claude-haiku-4-5-20251001",
    "sonnet": "claude-sonnet-4-20250514",
}

_FIELD = r"\.(?!output\b)(?P<field>[A-Za-z_]\w*)"
_DIRECT = pattern(r"\$json(?P<at>)" + _FIELD)
_NAMED = pattern(
    r"""\$\((?:'(?P<one>[^'\\]*)'|"(?P<other>[^"\\]*)")\)"""
    r"\.(?:first\(\)|item|all\(\)\[\d{1,9}\])\.json(?P<at>)" + _FIELD
)
_MOST_FIELDS = 5
"""Fields that a message names."""
_DEFENSIVE = pattern(r"output\?\.\w+\s*\|\|")


@rule(
    "LLM-OUTPUT-ACCESS",
    Severity.MUST,
    Layer.CONTENT,
    fixable=True,
    bad=one(
        lambda: parent(
            node("Judge it", _CHAIN, {"hasOutputParser": True}),
            node("Use it", "set", {"value": "={{ $json.score }}"}),
        )
    ),
    good=one(
        lambda: parent(
            node("Judge it", _CHAIN, {"hasOutputParser": True}),
            node("Use it", "set", {"value": "={{ $json.output.score }}"}),
        )
    ),
)
def answers_are_under_output(workflow: Workflow) -> Iterator[Problem]:
    """What a chain with an output parser answers is read from `output`.

    n8n puts the parsed fields there; read beside it they are undefined, silently.
    """
    chains = [
        found
        for found in workflow.nodes
        if found.type == _CHAIN and found.parameters.get("hasOutputParser") is True
    ]
    if not chains:
        return
    names = {found.name for found in chains}
    after = {following.index for found in chains for following in workflow.after(found)}
    for found in workflow.nodes:
        if found.type in (_CHAIN, _PARSER) or "lmChat" in found.type:
            continue
        for given in found.texts():
            if not given.is_name and "$" in given.text and not _DEFENSIVE.search(given.text):
                yield from _misread(found, given, list(_reads(given.text, names, found.index in after)))


def _reads(text: str, names: Set[str], is_after: bool) -> Iterator[re.Match[str]]:
    """Yield where a text reads beside ``output``, of the node before or of a chain by its name."""
    direct = _DIRECT.finditer(text) if is_after else ()
    named = (match for match in _NAMED.finditer(text) if (match["one"] or match["other"]) in names)
    yield from sorted((*direct, *named), key=lambda match: match.start("at"))


def _misread(found: Node, given: Text, matches: list[re.Match[str]]) -> Iterator[Problem]:
    if not matches:
        return
    ends = [0, *(match.start("at") for match in matches)]
    parts = [given.text[start:end] for start, end in itertools.pairwise(ends)]
    mended = ".output".join([*parts, given.text[ends[-1] :]])
    path = given.path
    *inside, last = path
    # A text in a list is mended with the list: lists have no members to put.
    edit = (Put(found.at(*inside), str(last), mended),) if isinstance(last, str) else None
    fields = ", ".join(list(dict.fromkeys(match["field"] for match in matches))[:_MOST_FIELDS])
    yield Problem(
        f'Node "{found.name}" reads {fields} of a chain with an output parser past "output"',
        f"Write .output.{matches[0]['field']} instead of .{matches[0]['field']}.",
        found.at(*path),
        node_id=found.id,
        edit=edit,
    )


def _anthropic(model: object) -> dict[str, Any]:
    return node("Claude", _ANTHROPIC, {"model": model})


@rule(
    "LLM-MODEL-ID",
    Severity.MUST,
    Layer.CONTENT,
    fixable=True,
    bad=one(lambda: parent(_anthropic("claude-3-opus-20240229"))),
    good=one(lambda: parent(_anthropic("claude-opus-4-6"))),
)
def models_are_current(workflow: Workflow) -> Iterator[Problem]:
    """Anthropic models are named by an id that is served."""
    for found in workflow.nodes:
        if found.type != _ANTHROPIC:
            continue
        given = found.parameters.get("model")
        model = text_of(object_of(given).get("value")) if isinstance(given, dict) else text_of(given)
        if model and model not in CURRENT_MODELS:
            tier = next((tier for tier in _REPLACEMENTS if tier in model.lower()), "sonnet")
            right = _REPLACEMENTS[tier]
            yield Problem(
                f'Node "{found.name}" uses an outdated or unknown model id "{model}"',
                f"Use {right}, or another of: {', '.join(CURRENT_MODELS)}.",
                found.at("parameters", "model"),
                node_id=found.id,
                edit=tuple(_replaced(found, given, right)),
            )


def _replaced(found: Node, given: object, right: str) -> Iterator[Put]:
    if not isinstance(given, Mapping):
        yield Put(found.at("parameters"), "model", right)
        return
    yield Put(found.at("parameters", "model"), "value", right)
    if "cachedResultName" in given:
        yield Put(found.at("parameters", "model"), "cachedResultName", right)
