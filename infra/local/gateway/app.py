"""The gateway as an ASGI application."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.errors import NotFound
from shared.http.declaration import Envelope
from shared.http.endpoint import Target
from shared.http.envelopes import failure, preflight, respond
from shared.http.routes import first_segment
from shared.sources import Sources

_SOURCES = Sources()


class Gateway:
    """Hands every request to the target its first path segment names."""

    def __init__(self, targets: Mapping[str, Target], prefix: str = "") -> None:
        """Take targets by lower-cased segment, and the path prefix of the public base URL."""
        self._targets = targets
        self._prefix = prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        path = scope["path"]
        if self._prefix and path.startswith(f"{self._prefix}/"):
            path = path[len(self._prefix) :]
            scope = {**scope, "path": path}
        response = await self._answer(Request(scope, receive), first_segment(path))
        await response(scope, receive, send)

    async def _answer(self, request: Request, segment: str) -> Response:
        if (target := self._targets.get(segment)) is not None:
            return await target(request)
        request_id = _SOURCES.uuid7()
        if request.method == "OPTIONS":
            return preflight(request_id)
        error = NotFound("There is nothing at this path. See /docs and /openapi.json.")
        return respond(error.status, failure(Envelope.DATA, error, request_id), request_id)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
