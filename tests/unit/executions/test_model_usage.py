"""What runs used of language models, from run data as n8n 2.41 writes it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.executions.models.presence import uses_language_models
from shared.executions.models.prices import PRICES, cost_of
from shared.executions.models.usage import usage_of

Json = dict[str, Any]
DAY = date(2026, 6, 1)


def model_run(usage: Json, model: str | None = "gpt-4o-mini-2024-07-18", **more: Any) -> Json:
    """A run of a model as a sub-node: what it was asked is beside what it answered."""
    options: Json = {"model": model, "temperature": 0.7} if model else {}
    asked = {"messages": ["Human: Hello"], "estimatedTokens": 12, "options": options}
    answer = {"response": {"generations": [[{"text": "Hi"}]]}, **usage}
    return {
        "startTime": 1,
        "executionTime": 2,
        "executionStatus": "success",
        "data": {"ai_languageModel": [[{"json": answer}]]},
        "inputOverride": {"ai_languageModel": [[{"json": asked}]]},
        **more,
    }


def tokens(prompt: Any, completion: Any, **more: Any) -> Json:
    return {"promptTokens": prompt, "completionTokens": completion, "totalTokens": 0, **more}


def record(nodes: dict[str, tuple[str, Json]], **runs: list[Json]) -> Any:
    listed = [
        {"name": name, "type": f"@n8n/n8n-nodes-langchain.{kind}", "parameters": parameters}
        for name, (kind, parameters) in nodes.items()
    ]
    return {"workflowData": {"nodes": listed}, "data": {"resultData": {"runData": runs}}}


def rows(recorded: Any) -> list[tuple[str, str, str, int, int, bool, int | None]]:
    return [
        (u.node, u.provider, u.model, u.prompt_tokens, u.completion_tokens, u.estimated, u.cost)
        for u in usage_of(recorded, DAY)
    ]


def test_what_a_provider_counted_is_summed_by_node_and_model() -> None:
    runs = [model_run({"tokenUsage": tokens(1000, 200)}), model_run({"tokenUsage": tokens(3000, 800)})]
    recorded = record({"Model": ("lmChatOpenAi", {})}, Model=runs)

    (used,) = usage_of(recorded, DAY)

    assert rows(recorded) == [
        ("Model", "openai", "gpt-4o-mini-2024-07-18", 4000, 1000, False, 1200),
    ]
    assert used.calls == 2


@pytest.mark.parametrize(
    ("kind", "parameters", "model", "provider"),
    [
        (
            "lmChatAnthropic",
            {"model": {"__rl": True, "value": "claude-sonnet-4-5"}},
            "claude-sonnet-4-5",
            "anthropic",
        ),
        ("lmChatGoogleGemini", {"modelName": "models/gemini-2.5-flash"}, "gemini-2.5-flash", "google"),
        ("lmChatMistralCloud", {"model": "mistral-large-latest"}, "mistral-large-latest", "mistral"),
        ("lmChatOllama", {"model": "llama3.2"}, "llama3.2", "ollama"),
        ("lmChatSomethingNew", {}, "unknown", "lmchatsomethingnew"),
    ],
)
def test_the_model_is_told_by_the_node_when_the_call_does_not_name_it(
    kind: str, parameters: Json, model: str, provider: str
) -> None:
    recorded = record({"M": (kind, parameters)}, M=[model_run({"tokenUsage": tokens(10, 5)}, None)])

    (row,) = rows(recorded)

    assert row[1:3] == (provider, model)


def test_n8ns_estimate_counts_where_the_provider_did_not_and_says_so() -> None:
    recorded = record(
        {"M": ("lmChatOllama", {})},
        M=[
            model_run({"tokenUsageEstimate": tokens(7, 3)}, "llama3.2"),
            model_run({"tokenUsage": tokens(1, 1)}, "llama3.2"),
        ],
    )

    assert sorted(rows(recorded)) == [
        ("M", "ollama", "llama3.2", 1, 1, False, 0),
        ("M", "ollama", "llama3.2", 7, 3, True, 0),
    ]


def test_a_price_that_the_provider_tells_goes_before_the_table() -> None:
    usage = {"tokenUsage": tokens(1000, 1000, cost=0.0123)}
    recorded = record({"M": ("lmChatOpenRouter", {})}, M=[model_run(usage, "some/model")])

    assert rows(recorded) == [("M", "openrouter", "some/model", 1000, 1000, False, 12_300)]


@pytest.mark.parametrize(
    ("kind", "answer", "expected"),
    [
        (
            "openAi",
            {"model": "gpt-4o-2024-08-06", "usage": {"input_tokens": 100, "output_tokens": 10}},
            ("openai", 100, 10),
        ),
        (
            "openAi",
            {"model": "gpt-4o", "usage": {"prompt_tokens": 100, "completion_tokens": 10}},
            ("openai", 100, 10),
        ),
        (
            "anthropic",
            {"model": "claude-sonnet-4-5", "usage": {"input_tokens": 5, "output_tokens": 6}},
            ("anthropic", 5, 6),
        ),
        (
            "googleGemini",
            {
                "modelVersion": "gemini-2.5-flash",
                "usageMetadata": {"promptTokenCount": 8, "candidatesTokenCount": 9},
            },
            ("google", 8, 9),
        ),
    ],
)
def test_the_nodes_of_single_providers_tell_in_their_own_words(
    kind: str, answer: Json, expected: tuple[str, int, int]
) -> None:
    recorded = record({"Ask": (kind, {})}, Ask=[{"data": {"main": [[{"json": answer}]]}}])

    ((_, provider, _, prompt, completion, _, cost),) = rows(recorded)

    assert (provider, prompt, completion) == expected
    assert cost is not None


def test_the_usage_in_the_data_of_other_nodes_is_none_of_a_model() -> None:
    recorded = record({}, Set=[{"data": {"main": [[{"json": {"usage": {"input_tokens": 5}}}]]}}])

    assert rows(recorded) == []


def test_sub_workflows_count_with_the_nodes_of_their_own() -> None:
    below = record({"M": ("lmChatOpenAi", {})}, M=[model_run({"tokenUsage": tokens(1000, 0)})])
    deeper = record(
        {"M": ("lmChatAnthropic", {})}, M=[model_run({"tokenUsage": tokens(0, 1000)}, "claude-sonnet-4")]
    )
    below["data"]["resultData"]["runData"]["Call"] = [{"_subExecutions": [deeper]}]
    recorded = record({}, Call=[{"_subExecutions": [below]}])

    assert [(row[1], row[6]) for row in rows(recorded)] == [("openai", 150), ("anthropic", 15_000)]


def test_a_model_without_a_price_has_tokens_and_no_cost() -> None:
    recorded = record(
        {"M": ("lmChatOpenAi", {})}, M=[model_run({"tokenUsage": tokens(1, 1)}, "my-own-model")]
    )

    assert rows(recorded)[0][6] is None


def test_every_price_is_reached_and_starts_on_a_day() -> None:
    for price in PRICES:
        sample = price.model.replace(r"\.", ".").replace(".*", "").replace("(?:models/)?", "")
        sample = sample.replace("(?:chat)?", "").replace("[34]", "3").replace("(?:medium|small)", "small")
        sample = sample.replace("[5-9]", "5")
        assert cost_of(price.provider, sample, 1_000_000, 0, DAY) == price.prompt, sample
    assert cost_of("openai", "gpt-4o", 1, 0, DAY) == 3
    assert cost_of("openai", "gpt-4o", 1, 0, date(2020, 1, 1)) is None


KEYS = [
    "data",
    "resultData",
    "runData",
    "json",
    "ai_languageModel",
    "main",
    "tokenUsage",
    "usage",
    "cost",
    "workflowData",
    "nodes",
    "name",
    "type",
    "inputOverride",
    "options",
    "promptTokens",
    "M",
]

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANY, ANY)
def test_any_json_at_all_is_counted_without_failing(run: Any, whole: Any) -> None:
    usage_of(whole, DAY)
    recorded = record(
        {"M": ("lmChatOpenAi", {})}, M=[run] if isinstance(run, dict) else [model_run({"tokenUsage": run})]
    )
    for used in usage_of(recorded, DAY):
        assert used.prompt_tokens >= 0
        assert used.completion_tokens >= 0


def test_only_what_reaches_a_model_is_looked_at() -> None:
    texts = {
        "main": '{"a": "{{SUBWKFL_child_LFKWBUS}}"}',
        "child": '{"connections": {"M": {"ai_languageModel": [[]]}}, "b": "{{SUBWKFL_main_LFKWBUS}}"}',
        "other": '{"nodes": [{"type": "n8n-nodes-base.set"}]}',
    }

    assert [uses_language_models(name, texts) for name in ("main", "child", "other", "gone")] == [
        True,
        True,
        False,
        False,
    ]
