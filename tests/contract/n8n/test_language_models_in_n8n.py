"""What n8n writes down of the tokens of a language model, against a server that speaks as OpenAI's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import cast

import httpx
import pytest
from aiohttp import web
from pydantic import JsonValue

from shared.executions.models.presence import uses_language_models
from shared.executions.models.usage import usage_of
from shared.n8n.client import N8nClient
from shared.n8n.liveness import WebhookAddress
from shared.n8n.workflows import WorkflowBody
from tests.contract.n8n.conftest import Publish
from tests.contract.n8n.flows import chain, node, webhook

USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
PACKAGE = "@n8n/n8n-nodes-langchain"


async def _complete(request: web.Request) -> web.Response:
    asked = await request.json()
    message = {"role": "assistant", "content": "Hello"}
    answer: dict[str, object] = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": asked["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    # A model of this name stands for a provider that does not count.
    return web.json_response(answer if asked["model"] == "silent" else {**answer, "usage": USAGE})


@pytest.fixture
async def openai(n8n: N8nClient, prefix: str) -> AsyncIterator[str]:
    """The id of a credential for a server of our own."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", _complete)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    data = {"apiKey": "sk-none", "url": url, "header": False}
    credential = await n8n.create_credential("openAiApi", prefix, data)
    yield credential.id
    await n8n.delete_credential(credential.id)
    await runner.cleanup()


def asking(prefix: str, credential: str, *models: str) -> WorkflowBody:
    """A workflow that asks each model once."""
    begin = webhook(prefix)
    asks = [
        node(f"Ask {name}", f"{PACKAGE}.chainLlm", 1.4, {"promptType": "define", "text": "Say hello"})
        for name in models
    ]
    used = {"openAiApi": {"id": credential, "name": prefix}}
    chats = [
        node(name, f"{PACKAGE}.lmChatOpenAi", 1, {"model": name, "options": {}}, credentials=used)
        for name in models
    ]
    connections = chain(begin, *asks)
    for name in models:
        target = {"node": f"Ask {name}", "type": "ai_languageModel", "index": 0}
        connections[name] = {"ai_languageModel": [[target]]}
    return WorkflowBody(
        name=prefix,
        nodes=[begin, *asks, *chats],
        connections=connections,
        settings={"executionOrder": "v1"},
    )


async def test_the_tokens_of_a_run_are_read_from_n8ns_record_of_it(
    n8n: N8nClient, publish: Publish, prefix: str, openai: str
) -> None:
    body = asking(prefix, openai, "gpt-4o", "silent")
    state = await publish(body, WebhookAddress("POST", prefix))
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.post(n8n.webhook_url(prefix), json={})
    assert answer.status_code == 200, answer.text

    (listed,) = await n8n.list_executions(state.id, include_data=True)
    used = {one.node: one for one in usage_of(cast("JsonValue", listed.document), date(2026, 6, 1))}

    counted, guessed = used["gpt-4o"], used["silent"]
    assert (counted.provider, counted.model) == ("openai", "gpt-4o")
    assert (counted.prompt_tokens, counted.completion_tokens, counted.estimated) == (1000, 200, False)
    assert counted.cost == 4500
    assert (guessed.model, guessed.estimated, guessed.cost) == ("silent", True, None)
    assert guessed.prompt_tokens > 0
    assert uses_language_models("main", {"main": str(body.connections).replace("'", '"')})
