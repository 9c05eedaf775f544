"""The n8n client of a backend."""

from __future__ import annotations

from shared.errors import UpstreamError
from shared.n8n.client import N8nClient
from shared.services.platform import Platform
from shared.services.secrets import backend_api_key, open_text
from shared.store import refs


async def n8n_client(platform: Platform, backend_id: str) -> N8nClient:
    """Return a client of an n8n backend, with its API key opened.

    Raises:
        UpstreamError: the backend is not configured.
    """
    found = await platform.store.get(refs.backend(backend_id))
    if found is None:
        raise UpstreamError("No n8n is configured for this organization.", code="N8N_NOT_CONFIGURED")
    api_key = await open_text(platform, found.value.api_key, backend_api_key(backend_id))
    return platform.n8n.client(found.value.base_url, api_key)
