"""Bodies over the limit are refused early, in the endpoint's envelope (api §1.2, decision 23)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shared.http.declaration import MAX_BODY, Endpoint
from tests.integration.world.endpoints import POSTS, Admitted, failure, name_of
from tests.integration.world.gateway import Gateway
from tests.integration.world.raw import RawAnswer, exchange

PIECE = 64 * 1024

WHOLE = tuple(endpoint for endpoint in POSTS if not endpoint.streams)
"""Those that are given a body they need not read: uploads have a limit of their own."""


@pytest.mark.parametrize("endpoint", WHOLE, ids=name_of)
async def test_a_body_declared_too_large_is_refused_before_any_of_it_is_sent(
    admitted: Admitted, gateway: Gateway, endpoint: Endpoint
) -> None:
    answer = await exchange(gateway.port, head(admitted, endpoint, f"Content-Length: {MAX_BODY + 1}"))

    assert refusal(endpoint, answer) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("endpoint", WHOLE, ids=name_of)
async def test_a_body_of_unknown_length_is_refused_once_it_is_too_large(
    admitted: Admitted, gateway: Gateway, endpoint: Endpoint
) -> None:
    twice = chunked(b"a" * PIECE, 2 * MAX_BODY // PIECE)

    answer = await exchange(gateway.port, head(admitted, endpoint, "Transfer-Encoding: chunked"), twice)

    assert refusal(endpoint, answer) == (413, "BODY_TOO_LARGE")
    assert answer.sent < 1.5 * MAX_BODY


async def test_a_body_of_thirty_megabytes_is_taken(admitted: Admitted) -> None:
    (trigger,) = [endpoint for endpoint in POSTS if endpoint.name == "triggerWebhookPublic"]
    body = b'{"text":"' + b"x" * (MAX_BODY - 11) + b'"}'
    assert len(body) == MAX_BODY

    answer = await admitted.call(trigger, content=body)

    assert answer.status_code == 200, answer.text


async def test_the_connection_serves_on_after_a_refused_body(admitted: Admitted, gateway: Gateway) -> None:
    (trigger,) = [endpoint for endpoint in POSTS if endpoint.name == "triggerWebhookPublic"]

    large = await admitted.call(trigger, content=b"x" * (MAX_BODY + 1))
    small = await admitted.call(trigger, json={})

    assert failure(trigger, large)[:2] == (413, "BODY_TOO_LARGE")
    assert small.status_code == 200


@pytest.mark.parametrize("endpoint", POSTS, ids=name_of)
async def test_a_caller_who_hangs_up_in_the_middle_of_a_body_is_no_error(
    admitted: Admitted, gateway: Gateway, endpoint: Endpoint
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(head(admitted, endpoint, "Content-Length: 1000") + b'{"a":')
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await asyncio.sleep(0.1)

    severe = [
        line for line in gateway.lines() if line["severity"] == "ERROR" and endpoint.name in line["message"]
    ]
    assert [line for line in severe if "disconnect" in str(line).lower()] == []


def head(admitted: Admitted, endpoint: Endpoint, *more: str) -> bytes:
    headers = [f"{name}: {value}" for name, value in admitted.headers(endpoint).items()]
    lines = [f"POST {admitted.path(endpoint)} HTTP/1.1", "Host: x", *headers, *more]
    return "\r\n".join([*lines, "", ""]).encode()


def chunked(piece: bytes, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"


def refusal(endpoint: Endpoint, answer: RawAnswer) -> tuple[int, Any]:
    rebuilt = httpx.Response(answer.status, headers=answer.headers, content=answer.body)
    return failure(endpoint, rebuilt)[:2]
