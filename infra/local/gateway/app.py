"""The gateway as an ASGI application."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from shared.http.endpoint import Target
from shared.http.routes import first_segment


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
        if segment == "healthz":
            return JSONResponse({"status": "ok"})
        error = {"code": "NOT_FOUND", "message": "There is nothing at this path. See /openapi.json."}
        return JSONResponse({"success": False, "error": error}, status_code=404)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
