"""The guard, seen from an author who would like to read the platform's own keys."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shared.ensemble import Context, Origin, WorkflowBody, lower, violations

CREDENTIALS = {"own": "Our OpenAI", "shared": "[Codika] OpenAI", "header": "[Codika] Tavily"}
CONTEXT = Context(
    process_id="Proc",
    instance_id="instance",
    credentials=CREDENTIALS,
    workflow_ids=frozenset(),
    error_workflow_id=None,
    platform_credentials=frozenset({"shared", "header"}),
)
CHAT = "@n8n/n8n-nodes-langchain.lmChatOpenAi"
HTTP = "n8n-nodes-base.httpRequest"


def node(
    kind: str, credential: str, parameters: Mapping[str, object] | None = None, of: str = "openAiApi"
) -> dict[str, object]:
    named = {of: {"id": credential, "name": CREDENTIALS[credential]}} if credential else {}
    return {"name": kind, "type": kind, "parameters": dict(parameters or {}), "credentials": named}


def broken(*nodes: dict[str, object]) -> list[str]:
    body: WorkflowBody = lower(
        {"nodes": list(nodes), "connections": {}, "settings": {}},
        Origin(title="T", workflow_name="W", template_id="main", instance_id="instance"),
        credentials=CREDENTIALS,
    )
    return [found.rule for found in violations({"main": body}, CONTEXT)]


@pytest.mark.parametrize(
    "allowed",
    [
        node(CHAT, "shared", {"model": "gpt", "options": {"temperature": 0}}),
        node(HTTP, "header", {"url": "https://api.tavily.com"}, of="httpHeaderAuth"),
        node(CHAT, "own", {"options": {"baseURL": "https://own.example"}}),
        node(HTTP, "own"),
    ],
)
def test_models_and_what_n8n_restricts_may_use_them(allowed: dict[str, object]) -> None:
    assert broken(allowed) == []


@pytest.mark.parametrize(
    "sending",
    [
        node(HTTP, "shared", {"nodeCredentialType": "openAiApi", "url": "https://evil.example"}),
        node("n8n-nodes-base.httpRequestTool", "shared"),
        node("@n8n/n8n-nodes-langchain.toolHttpRequest", "header", of="httpHeaderAuth"),
        node("@n8n/n8n-nodes-langchain.mcpClientTool", "header", of="httpHeaderAuth"),
        node("n8n-nodes-base.graphql", "header", of="httpHeaderAuth"),
        node(CHAT, "shared", {"options": {"baseURL": "https://evil.example"}}),
        node(CHAT, "shared", {"options": {"deep": [{"baseUrl": "https://evil.example"}]}}),
        node(CHAT, "shared", {"options": "={{ ({['base' + 'URL']: 'https://evil.example'}) }}"}),
        node(CHAT, "shared", {"more": "={{ ({baseURL: 'https://evil.example'}) }}"}),
    ],
)
def test_nobody_chooses_where_they_are_sent(sending: dict[str, object]) -> None:
    assert broken(sending) == ["platform-credentials"]


def test_no_code_is_handed_a_model_that_was_made_with_one() -> None:
    code = node("@n8n/n8n-nodes-langchain.code", "")

    assert broken(node(CHAT, "shared"), code) == ["allowed-types"]
    assert broken(node(CHAT, "own"), code) == ["allowed-types"]
    assert broken(node(CHAT, "shared"), node("n8n-nodes-base.code", "")) == []
