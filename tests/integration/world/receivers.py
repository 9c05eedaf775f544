"""An HTTP server that a subscriber of events has: it keeps what it was sent, and answers as a test says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

from tests.support.ports import free_port


@dataclass(frozen=True, slots=True)
class Message:
    """What was sent."""

    body: bytes
    headers: dict[str, str]
    at: float = field(default_factory=time.time)
    """When it came; seconds since 1970."""

    @property
    def content(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> dict[str, Any]:
        """Return the content as the Standard Webhooks library takes it."""
        content: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return content


@dataclass(slots=True)
class Receiver:
    """``statuses`` are answered one after the other; the last one stays."""

    port: int = field(default_factory=free_port)
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    messages: list[Message] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    async def got(self, count: int, type_: str | None = None) -> list[Message]:
        """Return the messages once there are so many."""
        async with asyncio.timeout(20):
            while len(found := self.of(type_)) < count:
                await asyncio.sleep(0.02)
        return found

    def of(self, type_: str | None) -> list[Message]:
        return [one for one in self.messages if type_ in (None, one.content["type"])]

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.messages.append(Message(await request.read(), headers))
        await asyncio.sleep(self.seconds)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, text="as you say", headers=self.headers)


@asynccontextmanager
async def receiving(**options: Any) -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver(**options)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver._take)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", receiver.port, reuse_address=True).start()
    yield receiver
    await runner.cleanup()
