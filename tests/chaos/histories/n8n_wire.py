"""The way from a process to the model of n8n, below the platform's own HTTP client."""

from __future__ import annotations

import asyncio

import httpx

from tests.chaos.histories.n8n_model import N8nModel
from tests.chaos.histories.wire import Alive


class N8nWire(httpx.AsyncBaseTransport):
    """A transport whose near end may die while n8n goes on."""

    def __init__(self, near: Alive, n8n: N8nModel) -> None:
        self._near, self._n8n = near, n8n

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a request there, and the answer back."""
        near = self._near
        await near.still_lives()
        await asyncio.sleep(near.faults.between(0.001, 0.01))
        await near.still_lives()
        path = request.url.path
        if path.startswith("/webhook/"):
            body = await request.aread()
            # n8n does what it was asked for, whoever waits for the answer.
            asked = asyncio.ensure_future(
                self._n8n.webhook(path.removeprefix("/webhook/"), body, lambda: _sent(request))
            )
            answer = await asyncio.shield(asked)
        else:
            answer = self._n8n.api(request)
        await asyncio.sleep(near.faults.between(0.001, 0.01))
        await near.still_lives()
        return answer


async def _sent(request: httpx.Request) -> None:
    if (trace := request.extensions.get("trace")) is not None:
        await trace("http11.send_request_body.complete", {})
