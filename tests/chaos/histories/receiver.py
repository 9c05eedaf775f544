"""A subscriber of events as a history sees it: it takes messages, refuses some, and answers late or never."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import orjson
from standardwebhooks import Webhook

from tests.chaos.histories.faults import Faults
from tests.chaos.histories.n8n_model import Tell
from tests.chaos.histories.wire import Alive

URL = "http://receiver/"


@dataclass
class Receiver:
    """All addresses below :data:`URL`. ``secrets`` are those of the subscriptions, by address."""

    faults: Faults
    tell: Tell
    secrets: dict[str, str] = field(default_factory=dict)

    async def take(self, request: httpx.Request) -> httpx.Response:
        """Answer a message."""
        if self.faults.strikes("receiver: not reached"):
            raise httpx.ConnectError("refused")
        await asyncio.sleep(self.faults.between(0.001, 0.2))
        if self.faults.strikes("receiver: refuses"):
            return httpx.Response(503, stream=httpx.ByteStream(b"later"))
        self._note(request)
        if self.faults.strikes("receiver: answer lost"):
            raise httpx.ReadError("reset")
        if self.faults.strikes("receiver: answers late"):
            await asyncio.sleep(30)
        return httpx.Response(204, stream=httpx.ByteStream(b""))

    def _note(self, request: httpx.Request) -> None:
        address, body = str(request.url), request.content
        identifier, seconds = request.headers["webhook-id"], int(request.headers["webhook-timestamp"])
        signed = Webhook(self.secrets[address]).sign(
            identifier, datetime.fromtimestamp(seconds, UTC), body.decode()
        )
        message = orjson.loads(body)
        self.tell(
            "told",
            to=address.removeprefix(URL),
            id=identifier,
            type=message["type"],
            execution=message["data"]["executionId"],
            status=message["data"]["status"],
            signed=signed in request.headers["webhook-signature"].split(),
        )


class ReceiverWire(httpx.AsyncBaseTransport):
    """A transport whose near end may die while the receiver goes on."""

    def __init__(self, near: Alive, receiver: Receiver) -> None:
        self._near, self._receiver = near, receiver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a message there, and the answer back."""
        await self._near.still_lives()
        answer = await asyncio.shield(asyncio.ensure_future(self._receiver.take(request)))
        await self._near.still_lives()
        return answer
