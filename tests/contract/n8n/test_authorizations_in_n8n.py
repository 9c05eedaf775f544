"""Real n8n takes the tokens of every provider as we store them, and its nodes send them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from aiohttp import web

from shared.model.integrations import AUTHORIZATIONS, CATALOGUE
from shared.n8n.client import N8nClient
from shared.n8n.liveness import WebhookAddress
from shared.services.integrations.oauth.tokens import n8n_data
from tests.contract.n8n.conftest import Publish
from tests.contract.n8n.flows import answer, node, webhook, workflow
from tests.support.ports import free_port

METADATA = {"shopSubdomain": "acme", "subdomain": "acme"}


async def _store(n8n: N8nClient, uid: str, identifier: str, token: str) -> str:
    credential_type = CATALOGUE[uid].credential_type or ""
    schema = await n8n.credential_schema(credential_type)
    data = n8n_data(uid, schema, token, "a b", "client", METADATA)
    return (await n8n.create_credential(credential_type, identifier, data, identifier)).id


@pytest.mark.parametrize("uid", sorted(AUTHORIZATIONS))
async def test_n8n_takes_tokens_of_every_provider(n8n: N8nClient, prefix: str, uid: str) -> None:
    schema = await n8n.credential_schema(CATALOGUE[uid].credential_type or "")
    made = await _store(n8n, uid, prefix, "a-token")
    try:
        assert made == prefix
        properties: Any = schema["properties"]
        assert "oauthTokenData" in properties
    finally:
        await n8n.delete_credential(prefix)


@pytest.mark.parametrize("uid", ["google_calendar", "notion", "microsoft_outlook", "slack"])
async def test_a_node_sends_the_token_and_at_once_its_successor(
    n8n: N8nClient, publish: Publish, prefix: str, uid: str
) -> None:
    seen: list[str] = []

    async def note(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_get("/", note)
    runner, port = web.AppRunner(app), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    credential_type = CATALOGUE[uid].credential_type or ""
    credential = await _store(n8n, uid, prefix, "first-token")
    parameters: Any = {
        "url": f"http://127.0.0.1:{port}/",
        "authentication": "predefinedCredentialType",
        "nodeCredentialType": credential_type,
        "options": {},
    }
    named = {credential_type: {"id": credential, "name": prefix}}
    calling = node("Call", "httpRequest", 4.2, parameters, credentials=named)
    try:
        await publish(workflow(prefix, webhook(prefix), calling, answer(1)), WebhookAddress("POST", prefix))
        async with httpx.AsyncClient(timeout=30) as http:
            first = await http.post(n8n.webhook_url(prefix), json={})
            schema = await n8n.credential_schema(credential_type)
            data = n8n_data(uid, schema, "second-token", "a b", "client", METADATA)
            await n8n.update_credential(credential, data=data)
            second = await http.post(n8n.webhook_url(prefix), json={})
    finally:
        await n8n.delete_credential(credential)
        await runner.cleanup()

    assert (first.status_code, second.status_code) == (200, 200)
    assert seen == ["Bearer first-token", "Bearer second-token"]
