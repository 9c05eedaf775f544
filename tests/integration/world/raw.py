"""HTTP by hand, for requests that no client library would send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer; ``sent`` counts the bytes of the request's body that were sent before it came."""

    status: int
    headers: dict[str, str]
    body: bytes
    sent: int

    def json(self) -> Any:
        return json.loads(self.body)


async def exchange(port: int, head: bytes, body: Iterable[bytes] = ()) -> RawAnswer:
    """Send a request piece by piece until an answer comes, and return that."""
    async with _connected(port) as (reader, writer):
        answer = asyncio.ensure_future(_answer(reader))
        writer.write(head)
        sent = 0
        for piece in body:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
            if answer.done():
                break
            sent += len(piece)
        status, headers, content = await asyncio.wait_for(answer, 20)
        return RawAnswer(status, headers, content, sent)


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(first.split()[1]), headers, body
