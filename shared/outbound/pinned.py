"""Connecting to the very address that was checked: what a name resolves to may change in between."""

from __future__ import annotations

import time

import httpx

from shared.outbound.reach import Unreachable, public_addresses

_KEEP_SECONDS = 60.0


class PublicOnly(httpx.AsyncBaseTransport):
    """Sends requests to public addresses alone; certificates are checked for the name in the URL.

    What a name resolved to is kept for a minute, so that a request on an open connection asks nobody.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self._known: dict[tuple[str, int], tuple[float, list[str]]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer of the first address that takes a connection.

        Raises:
            httpx.ConnectError: none does, or none may be connected to.
        """
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        refused = httpx.ConnectError(f"no address of {host} can be connected to", request=request)
        for address in await self._addresses(host, port, refused):
            try:
                return await self._inner.handle_async_request(_to(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        self._known.pop((host, port), None)
        raise refused

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()

    async def _addresses(self, host: str, port: int, refused: httpx.ConnectError) -> list[str]:
        until, addresses = self._known.get((host, port), (0.0, []))
        if time.monotonic() < until:
            return addresses
        try:
            addresses = await public_addresses(host, port)
        except Unreachable:
            raise refused from None
        self._known[(host, port)] = (time.monotonic() + _KEEP_SECONDS, addresses)
        return addresses


def _to(request: httpx.Request, address: str) -> httpx.Request:
    # The Host header stays as it is; TLS asks for, and checks, the name.
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
