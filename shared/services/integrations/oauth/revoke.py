"""Having a provider forget what it granted, before the record of it goes."""

from __future__ import annotations

from contextlib import suppress

import orjson

from shared.errors import InvalidRequest, UpstreamError
from shared.model.integrations import AUTHORIZATIONS, Holder, Integration
from shared.services.integrations.oauth.clients import is_client, server
from shared.services.integrations.oauth.tokens import ACCESS, REFRESH, opened
from shared.services.platform import Platform


async def revoke(platform: Platform, holder: Holder, integration: Integration) -> None:
    """Revoke a connection's tokens, as well as it can be done: a deletion does not wait for a provider."""
    authorization = AUTHORIZATIONS.get(integration.integration_id)
    if authorization is None or is_client(holder):
        return
    token = await opened(platform, holder, integration, REFRESH)
    token = token or await opened(platform, holder, integration, ACCESS)
    if token is None:
        return
    with suppress(UpstreamError, InvalidRequest):
        metadata = orjson.loads(integration.metadata)
        at = await server(platform, authorization.provider, metadata)
        await platform.oauth.revoke(at, token)
