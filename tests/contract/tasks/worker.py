"""A task handler that writes down what reaches it and answers as told."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

PATIENCE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request; ``at`` in seconds of the monotonic clock."""

    at: float
    path: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def retry_count(self) -> int:
        return int(self.headers["X-CloudTasks-TaskRetryCount"])


@dataclass
class Script:
    """How a path answers: statuses one after the other, then 200; ``seconds`` is how long it takes."""

    statuses: list[int] = field(default_factory=list)
    always: int = 200
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


class Worker:
    """An HTTP server on the loopback address."""

    def __init__(self) -> None:
        self.scripts: defaultdict[str, Script] = defaultdict(Script)
        self.peak: defaultdict[str, int] = defaultdict(int)
        self._busy: defaultdict[str, int] = defaultdict(int)
        self._deliveries: defaultdict[str, list[Delivery]] = defaultdict(list)
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self.url = ""

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    def seen(self, path: str) -> list[Delivery]:
        return list(self._deliveries[path])

    async def wait(self, path: str, count: int = 1) -> list[Delivery]:
        """Return the deliveries to a path as soon as there are so many; fails after a while."""
        until = time.monotonic() + PATIENCE_SECONDS
        while len(self._deliveries[path]) < count:
            assert time.monotonic() < until, f"{path}: {len(self._deliveries[path])} of {count} deliveries"
            await asyncio.sleep(0.005)
        return self.seen(path)

    async def _handle(self, request: web.Request) -> web.Response:
        path = request.path
        script = self.scripts[path]
        self._busy[path] += 1
        self.peak[path] = max(self.peak[path], self._busy[path])
        try:
            at, body = time.monotonic(), await request.read()
            status = script.statuses.pop(0) if script.statuses else script.always
            self._deliveries[path].append(
                Delivery(at, path, request.method, request.headers.copy(), body, status)
            )
            await asyncio.sleep(script.seconds)
            return web.Response(status=status, headers=script.headers)
        finally:
            self._busy[path] -= 1
