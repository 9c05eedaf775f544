"""What n8n takes for a credential type, for whoever writes a custom integration (api §5.17)."""

from __future__ import annotations

from pydantic import JsonValue

from shared.errors import NotFound
from shared.model.apikey import ApiKey
from shared.model.document import Document
from shared.services.access import chosen_organization
from shared.services.integrations.schemas import credential_schema
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.store import refs


class CredentialSchema(Document):
    """n8n's JSON schema of a credential type's data."""

    type: str = "object"
    properties: dict[str, JsonValue] = {}
    required: list[str] = []
    additional_properties: bool = False
    all_of: list[JsonValue] | None = None


async def schema_for(
    platform: Platform, key: ApiKey, credential_type: str, organization_id: str | None
) -> CredentialSchema:
    """Return the schema as the n8n of the caller's organization states it, at most ten minutes old.

    Raises:
        Forbidden, InvalidRequest (``ORGANIZATION_ID_REQUIRED``), NotFound (``ORGANIZATION_NOT_FOUND``).
        NotFound (``CREDENTIAL_TYPE_NOT_FOUND``): n8n knows no such type.
        UpstreamError: n8n cannot be asked.
    """
    chosen, _ = await chosen_organization(platform, key, organization_id)
    organization = await platform.store.get(refs.organization(chosen))
    if organization is None:
        raise NotFound(f"Organization {chosen} not found.", code="ORGANIZATION_NOT_FOUND")
    client = await n8n_client(platform, organization.value.backend_id)
    schema = await credential_schema(client, credential_type)
    if schema is None:
        raise NotFound(
            f"Credential type {credential_type} not found in n8n. Names look like openAiApi.",
            code="CREDENTIAL_TYPE_NOT_FOUND",
        )
    return CredentialSchema.model_validate(schema)
