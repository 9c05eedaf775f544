"""Layer 3: language models and what they answer (platform §23.5, 6 and 9)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.pattern import pattern
from shared.validation.engine.edits import Put
from shared.validation.engine.examples import node, one, parent
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow, object_of, text_of

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
    named = _named([found.name for found in chains])
    after = {following.index for found in chains for following in workflow.after(found)}
    for found in workflow.nodes:
        if found.type in (_CHAIN, _PARSER) or "lmChat" in found.type:
            continue
        patterns = [_DIRECT, named] if found.index in after else [named]
        for path, text in _texts(found.parameters, ("parameters",)):
            yield from _misread(found, path, text, patterns)


def _named(names: list[str]) -> re.Pattern[str]:
    any_name = "|".join(re.escape(name) for name in names)
    chain = rf"""\$\((?:'(?:{any_name})'|"(?:{any_name})")\)"""
    return re.compile(chain + r"\.(?:first\(\)|item|all\(\)\[\d{1,9}\])\.json(?P<at>)" + _FIELD)


def _misread(
    found: Node, path: tuple[str | int, ...], text: str, patterns: list[re.Pattern[str]]
) -> Iterator[Problem]:
    if "$" not in text or _DEFENSIVE.search(text):
        return
    matches = sorted(
        (match for pattern in patterns for match in pattern.finditer(text)), key=lambda match: match.start()
    )
    if not matches:
        return
    mended = text
    for match in reversed(matches):
        mended = f"{mended[: match.start('at')]}.output{mended[match.end('at') :]}"
    *inside, last = path
    # A text in a list is mended with the list: lists have no members to put.
    edit = (Put(found.at(*inside), str(last), mended),) if isinstance(last, str) else None
    fields = ", ".join(dict.fromkeys(match["field"] for match in matches))
    yield Problem(
        f'Node "{found.name}" reads {fields} of a chain with an output parser past "output"',
        f"Write .output.{matches[0]['field']} instead of .{matches[0]['field']}.",
        found.at(*path),
        node_id=found.id,
        edit=edit,
    )


def _texts(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    waiting: list[tuple[tuple[str | int, ...], object]] = [(path, value)]
    while waiting:
        at, inner = waiting.pop()
        if isinstance(inner, str):
            yield at, inner
        elif isinstance(inner, dict):
            waiting += [((*at, str(name)), deeper) for name, deeper in inner.items()]
        elif isinstance(inner, list):
            waiting += [((*at, index), deeper) for index, deeper in enumerate(inner)]


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
