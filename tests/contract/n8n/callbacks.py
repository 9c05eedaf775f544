"""A server that stands for the platform: it keeps what the nodes send and says yes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Callback:
    """One request a node made."""

    method: str
    path: str
    content_type: str
    content: bytes

    @property
    def body(self) -> dict[str, object]:
        parsed = json.loads(self.content)
        assert isinstance(parsed, dict)
        return parsed


@dataclass
class Callbacks:
    """Everything the nodes sent so far."""

    url: str = ""
    received: list[Callback] = field(default_factory=list)
    answers: dict[str, dict[str, object]] = field(default_factory=dict)

    async def naming(self, text: str, count: int = 1, *, seconds: float = 10) -> list[Callback]:
        """Return the callbacks whose content holds ``text``, once there are ``count``."""
        for _ in range(int(seconds / 0.02)):
            found = [callback for callback in self.received if text.encode() in callback.content]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"{len(found)} of {count} callbacks name {text}")


@asynccontextmanager
async def callbacks_server() -> AsyncIterator[Callbacks]:
    callbacks = Callbacks()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                callback = await _read(reader)
                callbacks.received.append(callback)
                content = json.dumps({"success": True, **callbacks.answers.get(callback.path, {})}).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
                writer.write(f"{head}\r\n\r\n".encode() + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    callbacks.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield callbacks
    finally:
        server.close()


async def _read(reader: asyncio.StreamReader) -> Callback:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = lines[0].split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if line)}
    if headers.get("transfer-encoding") == "chunked":
        content = await _chunks(reader)
    else:
        content = await reader.readexactly(int(headers.get("content-length", 0)))
    return Callback(method, path, headers.get("content-type", ""), content)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    content = b""
    while size := int((await reader.readline()).strip(), 16):
        content += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return content
