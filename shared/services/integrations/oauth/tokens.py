"""Tokens of a connection at rest, and on their way into n8n."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.errors import InvalidRequest
from shared.model.integrations import (
    AUTHORIZATIONS,
    CATALOGUE,
    Definition,
    Holder,
    Integration,
    SecretField,
    credential_data,
    credential_id,
    credential_name,
)
from shared.model.integrations.definition import AuthMethod
from shared.model.integrations.providers import token_data
from shared.n8n.errors import N8nRefused
from shared.oauth.client import Tokens
from shared.placeholders import inert
from shared.services.integrations.credential import Credential, write_credential
from shared.services.integrations.schemas import credential_schema
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.services.secrets import integration_secret, open_text, seal_text

ACCESS, REFRESH = "accessToken", "refreshToken"
KEPT_BY_US = "kept by the platform"
"""What n8n has in the place of the client's secret: it refreshes nothing."""

_EARLIEST = timedelta(minutes=10)
_LATEST = timedelta(days=28)


def refresh_at(now: datetime, expires_in: int) -> datetime:
    """Return when to refresh: a fifth of the lifetime early, at most ten minutes; within 28 days."""
    life = timedelta(seconds=expires_in)
    return now + min(life - min(_EARLIEST, life / 5), _LATEST)


async def sealed(platform: Platform, holder: Holder, uid: str, tokens: Tokens) -> dict[str, str]:
    """Return the stored form of tokens."""
    values = {ACCESS: tokens.access_token, REFRESH: tokens.refresh_token}
    return {
        name: await seal_text(platform, value, integration_secret(holder, uid, name))
        for name, value in values.items()
        if value
    }


async def opened(platform: Platform, holder: Holder, integration: Integration, name: str) -> str | None:
    """Return a token in clear, if there is one. Callers pass it on at once and keep it nowhere."""
    stored = integration.secrets.get(name)
    if stored is None:
        return None
    return await open_text(platform, stored, integration_secret(holder, integration.integration_id, name))


def credential_of(holder: Holder, uid: str) -> Credential:
    """Return what a connection's credential is called in n8n, always the same."""
    definition = CATALOGUE[uid]
    name = credential_name(holder, uid, definition.name)
    return Credential(credential_id(holder, uid), name, definition.credential_type or "")


async def store_in_n8n(
    platform: Platform,
    backend_id: str,
    holder: Holder,
    uid: str,
    access_token: str,
    scope: str | None,
    client_id: str,
    metadata: Mapping[str, str],
) -> None:
    """Put an access token into the n8n credential, which is made if there is none. Safe to repeat.

    Raises:
        InvalidRequest: this n8n has no such credential type.
        UpstreamError: n8n refuses or is down. No message carries the token.
    """
    client, credential = await n8n_client(platform, backend_id), credential_of(holder, uid)
    schema = await credential_schema(client, credential.type)
    if schema is None:
        raise InvalidRequest(f"n8n has no credential type '{credential.type}'. Update n8n.")
    data = n8n_data(uid, schema, access_token, scope, client_id, metadata)
    safe = {name: inert(value) for name, value in data.items()}
    try:
        await write_credential(client, credential, safe, exists=True)
    except N8nRefused as error:
        # n8n may repeat in its words what it was given.
        message = error.n8n_message.replace(access_token, "…")
        raise N8nRefused(error.n8n_status, message, action="store the credential") from None


def n8n_data(
    uid: str,
    schema: Mapping[str, object],
    access_token: str,
    scope: str | None,
    client_id: str,
    metadata: Mapping[str, str],
) -> dict[str, object]:
    """Return the data of an n8n credential whose type has that schema.

    Raises:
        InvalidRequest: a value does not fit the schema.
    """
    given = {"clientId": client_id, "clientSecret": KEPT_BY_US, **metadata}
    data = credential_data(_definition(CATALOGUE[uid]), given, schema)
    return {**data, "oauthTokenData": token_data(AUTHORIZATIONS[uid].provider, access_token, scope)}


def _definition(definition: Definition) -> Definition:
    fields = (SecretField("clientId", "clientId"), SecretField("clientSecret", "clientSecret"))
    return Definition(
        definition.uid,
        definition.name,
        definition.contexts,
        AuthMethod.OAUTH,
        definition.credential_type,
        fields,
        metadata=definition.metadata,
    )
