"""What a recorded run used of language models, as n8n's nodes tell (platform §15.6).

A sub-node that is a model answers its parent over ``ai_languageModel``: its run data has ``tokenUsage`` where
the provider counted, and n8n's own ``tokenUsageEstimate`` where it did not. The nodes of single providers are
ordinary nodes, and have their provider's ``usage`` in what they return.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import JsonValue

from shared.executions.models.prices import cost_of
from shared.executions.records import Node, runs_by_node, tree, workflow_nodes
from shared.model.execution import LlmUsage

_PACKAGE = "@n8n/n8n-nodes-langchain."
_PROVIDERS = (
    ("azure", "azure"),
    ("openrouter", "openrouter"),
    ("openai", "openai"),
    ("anthropic", "anthropic"),
    ("gemini", "google"),
    ("vertex", "google"),
    ("mistral", "mistral"),
    ("ollama", "ollama"),
    ("groq", "groq"),
    ("deepseek", "deepseek"),
    ("cohere", "cohere"),
    ("bedrock", "aws"),
    ("xai", "xai"),
)
_MOST = 10**12
_MILLION = 1_000_000
_UNKNOWN = "unknown"


@dataclass(slots=True)
class _Sum:
    prompt: int = 0
    completion: int = 0
    calls: int = 0
    told: int | None = None
    """What the provider itself says the calls cost, in micro-USD."""


@dataclass(frozen=True, slots=True)
class _Call:
    node: str
    provider: str
    model: str
    prompt: int
    completion: int
    estimated: bool
    told: int | None = None


def usage_of(recorded: JsonValue, on: date) -> list[LlmUsage]:
    """Return what a run and the runs attached to it used, by node and model, at the prices of a day."""
    sums: dict[tuple[str, str, str, bool], _Sum] = defaultdict(_Sum)
    for call in _calls(recorded):
        total = sums[call.node, call.provider, call.model, call.estimated]
        total.prompt += call.prompt
        total.completion += call.completion
        total.calls += 1
        if call.told is not None:
            total.told = (total.told or 0) + call.told
    return [
        LlmUsage(
            node=node,
            provider=provider,
            model=model,
            prompt_tokens=total.prompt,
            completion_tokens=total.completion,
            calls=total.calls,
            estimated=estimated,
            cost=cost_of(provider, model, total.prompt, total.completion, on)
            if total.told is None
            else total.told,
        )
        for (node, provider, model, estimated), total in sums.items()
    ]


def _calls(recorded: JsonValue) -> Iterator[_Call]:
    for one in tree(recorded):
        nodes = workflow_nodes(one)
        for name, runs in runs_by_node(one).items():
            node = nodes.get(name, {})
            for run in runs:
                yield from _of_model(name, node, run)
                yield from _of_provider(name, node, run)


def _of_model(name: str, node: Mapping[str, JsonValue], run: Node) -> Iterator[_Call]:
    asked = list(_items(run.get("inputOverride"), "ai_languageModel"))
    for index, json in enumerate(_items(run.get("data"), "ai_languageModel")):
        counted, guessed = json.get("tokenUsage"), json.get("tokenUsageEstimate")
        usage = counted if isinstance(counted, dict) else guessed
        if not isinstance(usage, dict):
            continue
        options = asked[min(index, len(asked) - 1)].get("options") if asked else None
        yield _Call(
            name,
            _provider(node),
            _model(options) or _model(node.get("parameters")) or _UNKNOWN,
            _tokens(usage, "promptTokens"),
            _tokens(usage, "completionTokens"),
            not isinstance(counted, dict),
            _told(usage),
        )


def _of_provider(name: str, node: Mapping[str, JsonValue], run: Node) -> Iterator[_Call]:
    if not str(node.get("type", "")).startswith(_PACKAGE):
        return
    for json in _items(run.get("data"), "main"):
        usage = json.get("usage") or json.get("usageMetadata")
        if isinstance(usage, dict):
            prompt = _tokens(usage, "prompt_tokens", "input_tokens", "promptTokens", "promptTokenCount")
            names = ("completion_tokens", "output_tokens", "completionTokens", "candidatesTokenCount")
            model = _model(json) or _model(node.get("parameters")) or _UNKNOWN
            yield _Call(name, _provider(node), model, prompt, _tokens(usage, *names), estimated=False)


def _items(data: JsonValue, connection: str) -> Iterator[dict[str, Any]]:
    outputs = data.get(connection) if isinstance(data, dict) else None
    for output in outputs if isinstance(outputs, list) else []:
        for item in output if isinstance(output, list) else []:
            json = item.get("json") if isinstance(item, dict) else None
            if isinstance(json, dict):
                yield json


def _provider(node: Mapping[str, JsonValue]) -> str:
    kind = str(node.get("type", "")).rpartition(".")[2].lower()
    return next((provider for word, provider in _PROVIDERS if word in kind), kind or _UNKNOWN)


def _model(options: JsonValue) -> str | None:
    """Return the model that options or parameters name: as text, or as n8n's resource locator."""
    if not isinstance(options, dict):
        return None
    for name in ("model", "model_name", "modelName", "modelId", "modelVersion"):
        named = options.get(name)
        named = named.get("value") if isinstance(named, dict) else named
        if isinstance(named, str) and named and not named.startswith("="):
            return re.sub(r"^models/", "", named)[:200]
    return None


def _tokens(usage: Mapping[str, Any], *names: str) -> int:
    for name in names:
        value = usage.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST:
            return int(value)
    return 0


def _told(usage: Mapping[str, Any]) -> int | None:
    cost = usage.get("cost")
    if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost <= _MILLION:
        return None
    return round(cost * _MILLION)
