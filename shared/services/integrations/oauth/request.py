"""The authorization request: where at a provider a browser is sent (RFC 6749 §4.1.1, RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import urlencode, urlsplit

from shared.model.integrations import AUTHORIZATIONS, OAuthFlow
from shared.services.integrations.oauth.clients import authorize_url, filled
from shared.services.platform import Platform

_CALLBACK = "/completeIntegrationAuthorization"


def redirect_uri(platform: Platform) -> str:
    """Return the address that the operator registers at every provider."""
    return platform.settings.base_url + _CALLBACK


async def provider_url(platform: Platform, flow: OAuthFlow, state: str, verifier: str) -> str:
    """Return the provider's address with everything it is asked for.

    Raises:
        InvalidRequest (``OAUTH_NOT_CONFIGURED``): there is no client, or metadata does not fit.
    """
    authorization = AUTHORIZATIONS[flow.integration_id]
    provider = authorization.provider
    at, client_id = await authorize_url(platform, provider, flow.metadata)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri(platform),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **provider.parameters,
    }
    if authorization.scopes:
        scopes = (filled(scope, flow.metadata) for scope in authorization.scopes)
        query[provider.scope_parameter] = provider.scope_separator.join(scopes)
    joint = "&" if urlsplit(at).query else "?"
    return f"{at}{joint}{urlencode(query)}"
