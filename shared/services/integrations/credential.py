"""An integration's credential in n8n (platform §7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import InvalidRequest
from shared.model.integrations import ContextType, Definition, Holder, credential_data, credential_name
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.placeholders import inert
from shared.services.integrations.schemas import credential_schema
from shared.services.integrations.values import Values

_HEADER_AUTH = "httpHeaderAuth"


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as it is in n8n."""

    id: str
    name: str
    type: str


async def store_credential(
    client: N8nClient,
    holder: Holder,
    definition: Definition,
    values: Values,
    *,
    credential_id: str,
    exists: bool,
) -> Credential:
    """Create the credential under that id, or change the one that ``exists``. Safe to repeat.

    Raises:
        InvalidRequest: n8n has no such type, or the values do not fit it.
        UpstreamError: n8n refuses or is down. No message carries a value.
    """
    credential_type, data = await _data(client, holder, definition, values.reveal())
    name = credential_name(holder, definition.uid, definition.name)
    safe = {field: inert(value) for field, value in data.items()}
    try:
        await write_credential(client, Credential(credential_id, name, credential_type), safe, exists)
    except N8nRefused as error:
        # n8n may repeat in its words what it was given.
        message = values.hide_in(error.n8n_message)
        raise N8nRefused(error.n8n_status, message, action="store the credential") from None
    return Credential(credential_id, name, credential_type)


async def write_credential(
    client: N8nClient, credential: Credential, data: Mapping[str, object], exists: bool
) -> None:
    """Create a credential under its id, or change the one that ``exists``. Safe to repeat.

    Raises:
        UpstreamError: n8n refuses or is down.
    """
    if exists:
        try:
            await client.update_credential(
                credential.id, name=credential.name, data=data, type=credential.type
            )
            return
        except N8nRefused as error:
            # Somebody deleted it in n8n.
            if error.n8n_status != 404:
                raise
    try:
        await client.create_credential(credential.type, credential.name, data, credential.id)
    except N8nRefused as error:
        # An attempt that ended before it was recorded left it.
        if error.n8n_status != 409:
            raise
        await client.update_credential(credential.id, name=credential.name, data=data, type=credential.type)


async def _data(
    client: N8nClient, holder: Holder, definition: Definition, values: Mapping[str, str]
) -> tuple[str, dict[str, object]]:
    credential_type = definition.credential_type or ""
    schema = await credential_schema(client, credential_type)
    if schema is not None:
        data = credential_data(definition, values, schema)
        return credential_type, _restricted(data, schema, holder, "")
    header_schema = await credential_schema(client, _HEADER_AUTH) if definition.fallback else None
    if definition.fallback is None or header_schema is None:
        raise InvalidRequest(
            f"n8n has no credential type '{credential_type}'. Install the node package that brings it.",
            field="n8nCredentialType",
        )
    (secret,) = definition.secrets
    header = definition.fallback
    data = {"name": header.name, "value": header.prefix + values[secret.key]}
    return _HEADER_AUTH, _restricted(data, header_schema, holder, header.domains)


def _restricted(
    data: dict[str, object], schema: Mapping[str, object], holder: Holder, domains: str
) -> dict[str, object]:
    """Keep a credential of the platform from being sent elsewhere by an HTTP Request node."""
    properties = schema.get("properties")
    can = isinstance(properties, Mapping) and "allowedHttpRequestDomains" in properties
    if holder.context_type is not ContextType.PLATFORM or not can:
        return data
    if domains:
        return {**data, "allowedHttpRequestDomains": "domains", "allowedDomains": domains}
    return {**data, "allowedHttpRequestDomains": "none"}
