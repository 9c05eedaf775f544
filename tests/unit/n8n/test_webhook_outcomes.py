from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from shared.n8n.connections import Connections
from shared.n8n.webhook import WebhookCaller, WebhookOutcome
from tests.unit.n8n.scripted_server import Request, Script, answering, closing, scripted, silent

NOT_REGISTERED = b'{"code":404,"message":"The requested webhook \\"POST a/b\\" is not registered."}'
WRONG_METHOD = b'{"code":404,"message":"This webhook is not registered for GET requests. Did you mean..."}'
N8N_REALM = 'Basic realm="Webhook"'


@pytest.fixture
async def caller() -> AsyncIterator[WebhookCaller]:
    connections = Connections()
    yield WebhookCaller(connections)
    await connections.close()


async def outcome(caller: WebhookCaller, script: Script, *, timeout: float = 5) -> WebhookOutcome:
    async with scripted(script) as server:
        url = f"{server.url}/webhook/a/b"
        return await caller.call(url, "POST", b"{}", "secret", accept_timeout=timeout)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (answering(200, b'{"message":"Workflow was started"}'), WebhookOutcome.ACCEPTED),
        (answering(201, b"<html>a page the workflow made</html>"), WebhookOutcome.ACCEPTED),
        (answering(204), WebhookOutcome.ACCEPTED),
        (answering(404, NOT_REGISTERED), WebhookOutcome.REFUSED_NOT_REGISTERED),
        (answering(404, WRONG_METHOD), WebhookOutcome.REFUSED_NOT_REGISTERED),
        (
            answering(403, b"Authorization data is wrong!", WWW_Authenticate=N8N_REALM),
            WebhookOutcome.REFUSED_FORBIDDEN,
        ),
        (answering(403, b"IP is not allowed to access the webhook!"), WebhookOutcome.REFUSED_FORBIDDEN),
        (answering(500, b'{"message":"Error in workflow"}'), WebhookOutcome.FAILED_IN_WORKFLOW),
        (answering(200, b"n8n is starting up. Please wait"), WebhookOutcome.NOT_REACHED),
        (answering(503, b'{"code":503,"message":"Database is not ready!"}'), WebhookOutcome.NOT_REACHED),
    ],
    ids=[
        "started",
        "a page",
        "no content",
        "unknown path",
        "wrong method",
        "wrong auth header",
        "wrong address",
        "failed run",
        "migrating",
        "no database",
    ],
)
async def test_the_words_of_n8n_decide(
    caller: WebhookCaller, script: Script, expected: WebhookOutcome
) -> None:
    assert await outcome(caller, script) is expected


@pytest.mark.parametrize(
    "script",
    [
        answering(404, b'{"error":"no such order"}'),
        answering(403, b'{"error":"this workflow says no"}'),
        answering(500, b"Internal Server Error"),
        answering(502, b"<html>Bad Gateway</html>"),
        answering(301, b"", Location="https://elsewhere.invalid"),
        closing,
    ],
    ids=["own 404", "own 403", "crash", "gateway", "redirect", "broken off"],
)
async def test_what_n8n_itself_did_not_say_must_be_looked_up(caller: WebhookCaller, script: Script) -> None:
    assert await outcome(caller, script) is WebhookOutcome.UNKNOWN


async def test_silence_after_the_whole_request_was_sent_counts_as_accepted(caller: WebhookCaller) -> None:
    assert await outcome(caller, silent, timeout=0.1) is WebhookOutcome.ACCEPTED


async def test_an_answer_that_never_ends_counts_by_its_status(caller: WebhookCaller) -> None:
    async def endless(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1000):
            writer.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
            await writer.drain()

    assert await outcome(caller, endless) is WebhookOutcome.ACCEPTED


async def test_an_answer_cut_in_the_middle_counts_by_its_status(caller: WebhookCaller) -> None:
    async def cut(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    assert await outcome(caller, cut) is WebhookOutcome.ACCEPTED


async def test_nobody_listening_is_not_reached(caller: WebhookCaller) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/webhook/a"
    result = await caller.call(url, "POST", b"{}", "secret", accept_timeout=2)
    assert result is WebhookOutcome.NOT_REACHED


@pytest.mark.parametrize("url", ["http://nowhere.invalid/webhook/a", "http://[broken", "ftp://127.0.0.1/a"])
async def test_an_address_that_leads_nowhere_is_not_reached(caller: WebhookCaller, url: str) -> None:
    result = await caller.call(url, "POST", b"{}", "secret", accept_timeout=2)
    assert result is WebhookOutcome.NOT_REACHED


async def test_a_server_that_does_not_take_the_whole_body_is_not_reached(caller: WebhookCaller) -> None:
    over, gone = asyncio.Event(), asyncio.Event()

    async def stalling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.transport.abort()
        gone.set()

    listener = await asyncio.start_server(stalling, "127.0.0.1", 0, limit=1024)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/webhook/a"
    result = await caller.call(url, "POST", b"x" * 50_000_000, "secret", accept_timeout=0.5)
    over.set()
    await gone.wait()
    listener.close()
    assert result is WebhookOutcome.NOT_REACHED


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
async def test_every_method_carries_a_json_body_and_the_auth_header(
    caller: WebhookCaller, method: str
) -> None:
    async with scripted(answering(200, b"{}")) as server:
        await caller.call(f"{server.url}/webhook/a", method, b'{"a":1}', "secret", accept_timeout=5)
        (request,) = server.requests
    assert request.line == f"{method} /webhook/a HTTP/1.1"
    assert request.body == b'{"a":1}'
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-codika-webhook-auth"] == "secret"


async def test_no_library_name_is_sent_that_the_ignore_bots_option_would_refuse(
    caller: WebhookCaller,
) -> None:
    async with scripted(answering(200, b"{}")) as server:
        await caller.call(f"{server.url}/webhook/a", "POST", b"{}", "secret", accept_timeout=5)
        (request,) = server.requests
    assert request.headers["user-agent"].startswith("Mozilla/5.0")


async def test_a_connection_is_used_again(caller: WebhookCaller) -> None:
    peers = set()

    async def remember(request: Request, writer: asyncio.StreamWriter) -> None:
        peers.add(writer.get_extra_info("peername"))
        await answering(200, b"{}")(request, writer)

    async with scripted(remember) as server:
        for _ in range(5):
            await caller.call(f"{server.url}/webhook/a", "POST", b"{}", "secret", accept_timeout=5)
    assert len(peers) == 1
