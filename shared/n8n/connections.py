"""HTTP connections to n8n, shared by everything in the process that speaks to the same server."""

from __future__ import annotations

import ssl
from functools import cache
from urllib.parse import urlsplit

import httpx

from shared.n8n.address import is_loopback, origin
from shared.outbound.pinned import PublicOnly
from shared.outbound.reach import EVERYWHERE, Reach

# n8n closes idle connections after 5 s. Reusing one in that moment loses the request without telling
# whether n8n took it, so we let go first.
_KEEP_IDLE_SECONDS = 3.0
# isbot-style filters ("ignore bots" of the Webhook node) refuse names of HTTP libraries.
_USER_AGENT = "Mozilla/5.0 (compatible; Podium)"


class Connections:
    """One connection pool per origin, so a slow n8n cannot take the connections of another."""

    def __init__(self, reach: Reach = EVERYWHERE) -> None:
        self._reach = reach
        self._clients: dict[str, httpx.AsyncClient] = {}

    def to(self, url: str) -> httpx.AsyncClient:
        """Return the pool for the origin of ``url``; it is opened on first use and kept."""
        key = origin(url)
        if key not in self._clients:
            self._clients[key] = open_pool(key, self._reach)
        return self._clients[key]

    async def close(self) -> None:
        """Close every pool; a later call opens new ones."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()


def open_pool(url: str, reach: Reach = EVERYWHERE) -> httpx.AsyncClient:
    """Return a new connection pool for the origin of ``url``; the caller closes it."""
    verify = _tls() if url.startswith("https") else False
    limits = httpx.Limits(
        max_connections=200, max_keepalive_connections=50, keepalive_expiry=_KEEP_IDLE_SECONDS
    )
    trusted = reach.trusts(urlsplit(url).hostname or "")
    return httpx.AsyncClient(
        verify=verify,
        limits=limits,
        transport=None if trusted else PublicOnly(httpx.AsyncHTTPTransport(verify=verify, limits=limits)),
        headers={"User-Agent": _USER_AGENT},
        follow_redirects=False,
        # A proxy in the environment is for the world outside; n8n on this machine is not behind it.
        trust_env=not is_loopback(url),
    )


@cache
def _tls() -> ssl.SSLContext:
    # Loading the certificate bundle costs 20 ms and half a megabyte: once per process.
    return httpx.create_ssl_context()
