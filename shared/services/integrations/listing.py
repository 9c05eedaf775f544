"""What is connected, without any secret (api §5.14)."""

from __future__ import annotations

from shared.model.apikey import ApiKey, KeyKind
from shared.model.document import Document, Timestamp
from shared.model.integrations import FLEXIBLE, ContextType, Holder, Integration
from shared.services.access import chosen_organization
from shared.services.integrations.places import Address, instance_place
from shared.services.platform import Platform
from shared.services.secrets import PLATFORM
from shared.store import refs
from shared.store.query import below, find

_ORDER = list(ContextType)


class Row(Document):
    """One connected integration; ``account`` is whose it is at a provider that was asked."""

    integration_id: str
    context_type: ContextType
    connected: bool
    connected_at: Timestamp
    connected_by: str
    has_valid_tokens: bool
    account: str | None = None
    n8n_credential_id: str | None = None
    custom_schema: dict[str, object] | None = None


async def integrations_of(
    platform: Platform, key: ApiKey, organization_id: str | None, process_instance_id: str | None
) -> list[Row]:
    """Return what is connected for the organization, for the key's user in it and, if named, for an
    installation; for an administrator also what the platform has in that n8n.

    Raises:
        Forbidden, NotFound (``INSTANCE_NOT_FOUND``), InvalidRequest (``ORGANIZATION_ID_REQUIRED``).
    """
    holders: list[Holder] = []
    if process_instance_id:
        address = Address(ContextType.PROCESS_INSTANCE, organization_id, process_instance_id)
        holder = (await instance_place(platform, key, address)).holder
        holders.append(holder)
        organization_id = holder.organization_id
    organization_id, _ = await chosen_organization(platform, key, organization_id)
    holders.append(Holder(ContextType.ORGANIZATION, organization_id, organization_id))
    holders.append(Holder(ContextType.MEMBER, organization_id, key.user_id))
    query = below(refs.organization(organization_id), "integrations", Integration)
    found = await find(platform.store, query.where("holder", "in", [holder.label for holder in holders]))
    integrations = [document.value for document in found]
    if key.kind is KeyKind.ADMIN:
        integrations += await _platforms(platform, organization_id)
    integrations.sort(key=lambda known: (_ORDER.index(known.context_type), known.integration_id))
    return [_row(integration) for integration in integrations]


async def _platforms(platform: Platform, organization_id: str) -> list[Integration]:
    organization = await platform.store.get(refs.organization(organization_id))
    if organization is None:
        return []
    holder = Holder(ContextType.PLATFORM, PLATFORM, organization.value.backend_id)
    found = await platform.store.fetch(*(refs.integration(holder, uid) for uid in sorted(FLEXIBLE)))
    return [document.value for document in found if document is not None]


def _row(integration: Integration) -> Row:
    schema = integration.custom_schema
    return Row(
        integration_id=integration.integration_id,
        context_type=integration.context_type,
        connected=True,
        connected_at=integration.connected_at,
        connected_by=integration.connected_by,
        has_valid_tokens=integration.has_valid_tokens,
        account=integration.account,
        n8n_credential_id=integration.n8n_credential_id,
        custom_schema=schema.wire() if schema else None,
    )
