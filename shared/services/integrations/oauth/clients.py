"""The platform's own clients at authorization servers: registered by the operator, sealed in the vault."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

from shared.errors import Forbidden, InvalidRequest, UpstreamError
from shared.model.apikey import ApiKey, KeyKind
from shared.model.integrations import PROVIDERS, ContextType, Holder
from shared.model.integrations.providers import Provider
from shared.oauth.client import Server
from shared.services.integrations.places import Address, Place, place_of
from shared.services.platform import Platform
from shared.services.secrets import PLATFORM, integration_secret, open_text
from shared.store import refs

_CLIENTS = Holder(ContextType.PLATFORM, PLATFORM, "oauth")
"""Holds them, in the place of an n8n: they are none's."""

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_FIELD = re.compile(r"\{([A-Za-z]+)\}")


def is_client(holder: Holder) -> bool:
    """Return whether the holder is that of the platform's clients."""
    return holder == _CLIENTS


async def place_for(platform: Platform, key: ApiKey, address: Address, integration_id: str) -> Place:
    """Return the place a caller names; the platform's clients for providers are in one of their own.

    Raises:
        Forbidden, NotFound, InvalidRequest: as :func:`shared.services.integrations.places.place_of`.
    """
    if address.context_type is not ContextType.PLATFORM or integration_id not in PROVIDERS:
        return await place_of(platform, key, address)
    if key.kind is not KeyKind.ADMIN:
        raise Forbidden("Only administrators of the platform manage its own credentials.")
    return Place((_CLIENTS,))


def filled(template: str, metadata: Mapping[str, str]) -> str:
    """Return a provider's address, or scope, with the metadata its placeholders name.

    Raises:
        InvalidRequest: a value is missing, or is no single label of a host name.
    """

    def value(match: re.Match[str]) -> str:
        given = metadata.get(match[1], "")
        # It decides which host gets the client's secret: nothing but one label may stand there.
        if not _LABEL.fullmatch(given):
            raise InvalidRequest(
                f"metadata.{match[1]} must be the first part of the host name, such as 'acme'.",
                field=f"metadata.{match[1]}",
                reason="is required",
            )
        return given

    return _FIELD.sub(value, template)


async def authorize_url(
    platform: Platform, provider: Provider, metadata: Mapping[str, str]
) -> tuple[str, str]:
    """Return where users authorize, and the platform's client id there.

    Raises:
        InvalidRequest (``OAUTH_NOT_CONFIGURED``): the operator registered no client.
    """
    client = await _client(platform, provider)
    address = client.addresses.get("authorizeUrl") or filled(provider.authorize_url, metadata)
    return address, client.client_id


async def server(platform: Platform, provider: Provider, metadata: Mapping[str, str]) -> Server:
    """Return what the adapter needs to act as the platform's client.

    Raises:
        UpstreamError (``OAUTH_NOT_CONFIGURED``): the operator has removed the client.
    """
    try:
        client = await _client(platform, provider)
    except InvalidRequest as error:
        raise UpstreamError(error.message, code=error.code) from None
    return Server(
        token_url=client.addresses.get("tokenUrl") or filled(provider.token_url, metadata),
        revoke_url=client.addresses.get("revokeUrl") or provider.revoke_url,
        client_id=client.client_id,
        client_secret=client.client_secret,
        sends_basic=provider.sends_basic,
        token_path=provider.token_path,
    )


class _Client:
    def __init__(self, client_id: str, client_secret: str, addresses: Mapping[str, str]) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.addresses = addresses


async def _client(platform: Platform, provider: Provider) -> _Client:
    found = await platform.store.get(refs.integration(_CLIENTS, provider.uid))
    if found is None or not found.value.has_valid_tokens:
        raise InvalidRequest(
            f"This platform has no OAuth client at {provider.name}. Its operator registers one: connect "
            f"'{provider.uid}' with contextType platform and the secrets {provider.client_id} and "
            f"{provider.client_secret}.",
            code="OAUTH_NOT_CONFIGURED",
            field="integrationId",
        )
    secrets = [
        await open_text(platform, found.value.secrets[name], integration_secret(_CLIENTS, provider.uid, name))
        for name in (provider.client_id, provider.client_secret)
    ]
    metadata = orjson.loads(found.value.metadata)
    addresses = {name: value for name, value in metadata.items() if isinstance(value, str)}
    return _Client(secrets[0], secrets[1], addresses)
