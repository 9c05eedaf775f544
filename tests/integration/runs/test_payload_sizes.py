"""Payloads up to the edge's limit arrive whole; what n8n does not take fails with a code that says so."""

from __future__ import annotations

import hashlib

import pytest
from aiohttp import web

from shared.http.declaration import MAX_BODY
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import Behaviour, Call, reporting

MEGABYTE = 1024 * 1024


async def too_large(call: Call) -> web.StreamResponse:
    """Answer as n8n does to more than N8N_PAYLOAD_SIZE_MAX."""
    message = "There was a problem executing the workflow"
    return web.json_response({"code": 0, "message": message}, status=500)


async def too_large_for_a_proxy(call: Call) -> web.StreamResponse:
    text = "<html><head><title>413 Request Entity Too Large</title></head></html>"
    return web.Response(text=text, status=413, content_type="text/html")


async def test_a_payload_of_twenty_nine_megabytes_arrives_whole(
    gateway: Gateway, installed: Installation
) -> None:
    installed.behave(reporting(resultData="taken"))
    text = "0123456789" * (29 * MEGABYTE // 10)

    execution_id = await gateway.trigger(installed.path, installed.key, {"text": text})
    ended = await gateway.status(installed.id, execution_id, installed.key, wait=30)

    assert ended["resultData"] == "taken"
    (call,) = installed.calls
    assert hashlib.sha256(call.body["text"].encode()).digest() == hashlib.sha256(text.encode()).digest()
    run = await installed.run(execution_id)
    assert (run.trigger_data, run.trigger_data_blob is None) == (None, False)


async def test_a_payload_of_thirty_one_megabytes_is_refused_and_makes_no_run(
    gateway: Gateway, installed: Installation
) -> None:
    body = b'{"text":"' + b"x" * (31 * MEGABYTE) + b'"}'
    assert len(body) > MAX_BODY == 30 * MEGABYTE

    answer = await gateway.http.post(
        f"/webhook/{installed.path}", content=body, headers={"X-API-Key": installed.key}
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert installed.calls == []


@pytest.mark.parametrize("refusal", [too_large, too_large_for_a_proxy])
async def test_a_payload_that_n8n_does_not_take_fails_the_run_with_a_code(
    gateway: Gateway, installed: Installation, refusal: Behaviour
) -> None:
    installed.behave(refusal)
    execution_id = await gateway.trigger(installed.path, installed.key, {"text": "x" * (17 * MEGABYTE)})

    ended = await gateway.status(installed.id, execution_id, installed.key, wait=15)

    assert ended["status"] == "failed"
    assert (ended["errorDetails"]["type"], ended["errorDetails"]["code"]) == (
        "node_failure",
        "PAYLOAD_TOO_LARGE",
    )
    assert "N8N_PAYLOAD_SIZE_MAX" in ended["errorDetails"]["message"]
    assert len(installed.calls) == 1
