"""The process-wide way to n8n."""

from __future__ import annotations

from shared.n8n.address import normalize
from shared.n8n.apikey import N8nApiKey
from shared.n8n.client import N8nClient
from shared.n8n.connections import Connections
from shared.n8n.webhook import WebhookCaller
from shared.outbound.reach import EVERYWHERE, Reach


class N8nPool:
    """Clients of any number of n8n servers over shared connections. Nothing is contacted before use."""

    def __init__(self, reach: Reach = EVERYWHERE) -> None:
        self.reach = reach
        self._connections = Connections(reach)
        self.webhooks = WebhookCaller(self._connections)

    def client(self, base_url: str, api_key: str | N8nApiKey) -> N8nClient:
        """Return a REST client; it is cheap, keeps the key only in memory, and needs no closing.

        Raises:
            InvalidRequest: the URL is no http or https URL.
        """
        address = normalize(base_url)
        return N8nClient(address, api_key, http=self._connections.to(address))

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()
