"""Connections end at public addresses, whatever a name resolves to in the meantime."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from shared.n8n.connections import Connections, open_pool
from shared.n8n.errors import N8nUnreachable
from shared.n8n.pool import N8nPool
from shared.n8n.webhook import WebhookCaller, WebhookOutcome
from shared.outbound import pinned
from shared.outbound.reach import Reach
from tests.unit.n8n.scripted_server import answering, scripted

PAGE = b'{"data": [], "nextCursor": null}'


async def test_neither_the_api_nor_a_webhook_of_our_own_network_is_called() -> None:
    async with scripted(answering(200, PAGE)) as server:
        pool, connections = N8nPool(Reach()), Connections(Reach())
        for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
            with pytest.raises(N8nUnreachable):
                await pool.client(url, "key").check()
            caller = WebhookCaller(connections)
            outcome = await caller.call(f"{url}/webhook/a", "POST", b"{}", "secret", accept_timeout=5)
            assert outcome is WebhookOutcome.NOT_REACHED
        await pool.close()
        await connections.close()

    assert server.requests == []


async def test_a_host_that_the_operator_names_may_be_anywhere() -> None:
    async with scripted(answering(200, PAGE)) as server:
        pool = N8nPool(Reach(frozenset({"127.0.0.1"})))
        await pool.client(server.url, "key").check()
        with pytest.raises(N8nUnreachable):
            await pool.client(server.url.replace("127.0.0.1", "localhost"), "key").check()
        await pool.close()


async def test_the_connection_goes_to_the_address_that_was_checked_under_the_name_that_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.9", "127.0.0.1"]

    monkeypatch.setattr(pinned, "public_addresses", resolve)
    async with scripted(answering(200, PAGE)) as server:
        port = urlsplit(server.url).port
        async with open_pool(f"http://n8n.example:{port}", Reach()) as http:
            answers = [await http.get(f"http://n8n.example:{port}/a") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert {request.headers["host"] for request in server.requests} == {f"n8n.example:{port}"}
    assert asked == [("n8n.example", port)]


async def test_a_name_that_comes_to_lead_into_our_network_is_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([["1.1.1.1"], ["1.1.1.1", "169.254.169.254"]])

    async def getaddrinfo(*_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(0, 0, 0, "", (address, 0)) for address in next(answers)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    limits = Reach()
    assert await limits.admits("https://n8n.example")

    pool = N8nPool(limits)
    with pytest.raises(N8nUnreachable):
        await pool.client("https://n8n.example", "key").check()
    await pool.close()
