"""The stack all benchmarks of a run share, and the connections to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp

from bench.sizes import Size
from shared.services.platform import Platform
from tests.support.stack import RunningStack

PATIENCE = aiohttp.ClientTimeout(total=90)


@dataclass(frozen=True, slots=True)
class Session:
    """A running stack, its public API, and its parts for what no API tells."""

    stack: RunningStack
    platform: Platform
    http: aiohttp.ClientSession
    size: Size
    tenant: int = 0
    """Whose session it is: the place of an organization in the stack file."""

    @property
    def organization_id(self) -> str:
        """The organization."""
        return str(self.stack.content["organizations"][self.tenant]["organizationId"])

    @property
    def owner_id(self) -> str:
        """The owner of the organization."""
        return str(self.stack.content["organizations"][self.tenant]["ownerUserId"])

    @property
    def owner_key(self) -> str:
        """The owner's key of the organization."""
        return self.stack.key(self.tenant, "ownerKey")

    def of(self, tenant: int) -> Session:
        """Return the session of another organization."""
        return replace(self, tenant=tenant)

    @property
    def n8n_url(self) -> str:
        """Base URL of n8n."""
        return str(self.stack.content["n8nUrl"])

    @property
    def n8n_headers(self) -> dict[str, str]:
        """The headers of n8n's own API."""
        return {"X-N8N-API-KEY": str(self.stack.content["n8nApiKey"])}


@asynccontextmanager
async def opened(stack: RunningStack, size: Size) -> AsyncIterator[Session]:
    """Open the connections to a running stack, and close them again."""
    async with stack.platform() as platform, connections(0) as http:
        yield Session(stack, platform, http, size)


def connections(limit: int) -> aiohttp.ClientSession:
    """Return a client that opens at most ``limit`` connections (0: any number)."""
    connector = aiohttp.TCPConnector(limit=limit, keepalive_timeout=3)
    return aiohttp.ClientSession(connector=connector, timeout=PATIENCE, cookie_jar=aiohttp.DummyCookieJar())
