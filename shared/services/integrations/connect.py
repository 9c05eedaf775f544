"""Connect an integration: credential in n8n first, then its record (api §5.15, platform §7).

The credential's id in n8n is ours and follows from what is connected. So an attempt that dies between
the two leaves nothing that the next one, or a deletion, does not find.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from shared.errors import Conflict, InvalidRequest, NotFound
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.document import Document
from shared.model.instance import ProcessInstance
from shared.model.instance_events import Standing, standing_of
from shared.model.integrations import ContextType, Definition, Holder, Integration, credential_id
from shared.n8n.client import N8nClient
from shared.services.audit import audited
from shared.services.faults import point
from shared.services.integrations.credential import Credential, store_credential
from shared.services.integrations.definitions import definition_of, schema_of
from shared.services.integrations.oauth.clients import is_client, place_for
from shared.services.integrations.places import Address, Place
from shared.services.integrations.values import SentSecret, Values, open_values
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.query import owned_by, tally
from shared.store.store import Create, Found, Patch, Write

_LARGEST_METADATA = 32 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """A connection as it was sent; nothing of it is checked yet."""

    integration_id: str
    address: Address
    secrets: Mapping[str, SentSecret] = field(repr=False)
    metadata: Mapping[str, object]
    custom_schema: object = None


class Connected(Document):
    """The answer to a connection."""

    message: str
    n8n_credential_id: str | None = None


async def connect(platform: Platform, key: ApiKey, sent: Sent) -> Connected:
    """Connect an integration, or replace the values of one that is connected.

    Raises:
        Forbidden, NotFound: as :func:`shared.services.integrations.places.place_of`.
        InvalidRequest, DecryptionFailed: nothing was changed.
        Conflict: somebody else connected the same integration at the same time.
        UpstreamError: n8n refuses or is down.
    """
    place = await place_for(platform, key, sent.address, sent.integration_id)
    ids = [await _connect_at(platform, key, sent, holder) for holder in place.holders]
    message = f"{sent.integration_id} is connected. {await _waiting(platform, place)}".strip()
    return Connected(message=message, n8n_credential_id=ids[0])


async def _connect_at(platform: Platform, key: ApiKey, sent: Sent, holder: Holder) -> str | None:
    home, existing = await _home(platform, holder, sent.integration_id)
    schema = schema_of(
        sent.integration_id, sent.custom_schema, existing.value.custom_schema if existing else None
    )
    definition = definition_of(platform, sent.integration_id, holder, schema)
    metadata = _metadata(sent.metadata)
    values = await open_values(platform, definition, sent.secrets, sent.metadata)
    credential = None
    if not is_client(holder):
        client = await n8n_client(platform, home.backend_id)
        credential = await _credential(client, holder, definition, values, existing, home)
    point("integration.credential_stored")
    keeps = home.keeps_copies or credential is None
    integration = Integration(
        organization_id=holder.organization_id,
        integration_id=definition.uid,
        context_type=holder.context_type,
        holder=holder.label,
        backend_id=home.backend_id,
        n8n_credential_id=credential.id if credential else None,
        n8n_credential_name=credential.name if credential else None,
        n8n_credential_type=credential.type if credential else None,
        secrets=await values.sealed(platform, holder, definition.uid) if keeps else {},
        metadata=metadata,
        custom_schema=schema,
        has_valid_tokens=sent.metadata.get("hasValidTokens") is not False,
        connected_at=platform.sources.now(),
        connected_by=key.user_id,
    )
    await _record(platform, key, holder, integration, existing)
    return integration.n8n_credential_id


@dataclass(frozen=True, slots=True)
class _Home:
    """The n8n of a holder, and whether secrets that are in it are kept here too."""

    backend_id: str
    keeps_copies: bool


async def _home(
    platform: Platform, holder: Holder, integration_id: str
) -> tuple[_Home, Found[Integration] | None]:
    reference = refs.integration(holder, integration_id)
    if holder.context_type is ContextType.PLATFORM:
        return _Home(holder.owner, keeps_copies=True), await platform.store.get(reference)
    organization, existing = await platform.store.fetch(refs.organization(holder.organization_id), reference)
    if organization is None:
        raise NotFound(f"Organization {holder.organization_id} not found.", code="ORGANIZATION_NOT_FOUND")
    keeps = not organization.value.self_hosted or organization.value.store_credential_copy
    return _Home(organization.value.backend_id, keeps), existing


async def _credential(
    client: N8nClient,
    holder: Holder,
    definition: Definition,
    values: Values,
    existing: Found[Integration] | None,
    home: _Home,
) -> Credential | None:
    known = existing.value.n8n_credential_id if existing else None
    here = known is not None and existing is not None and existing.value.backend_id == home.backend_id
    if definition.credential_type is None:
        if here and known:
            await client.delete_credential(known)
        return None
    identifier = known if here and known else credential_id(holder, definition.uid)
    return await store_credential(client, holder, definition, values, credential_id=identifier, exists=here)


async def _record(
    platform: Platform,
    key: ApiKey,
    holder: Holder,
    integration: Integration,
    existing: Found[Integration] | None,
) -> None:
    uid = integration.integration_id
    write: Write = Create(refs.integration(holder, uid), integration)
    if existing is not None:
        fields = {name: getattr(integration, name) for name in Integration.model_fields}
        write = Patch(existing.ref, fields, existing.update_time)
    entry = audited(
        platform,
        key,
        AuditAction.INTEGRATION_CONNECTED,
        holder.organization_id,
        holder.use_of(uid),
        n8nCredentialId=integration.n8n_credential_id,
        backendId=integration.backend_id,
        replaced=existing is not None,
    )
    try:
        await platform.store.commit(write, entry)
    except StoreConflict:
        raise Conflict(
            f"{uid} was changed by somebody else at the same time. Connect it again.", code="CONFLICT"
        ) from None


def _metadata(metadata: Mapping[str, object]) -> str:
    text = orjson.dumps(metadata).decode()
    if len(text) > _LARGEST_METADATA:
        raise InvalidRequest("metadata is larger than 32 KiB.", field="metadata")
    return text


async def _waiting(platform: Platform, place: Place) -> str:
    """Return what to tell about installations that wait for integrations; nothing reactivates by itself."""
    waits = Standing.MISSING_INTEGRATION
    holder = place.holder
    if place.instance is not None:
        count = int(standing_of(place.instance.value) is waits)
    elif holder.context_type is ContextType.PLATFORM:
        count = 0
    else:
        query = owned_by("processInstances", ProcessInstance, "organization_id", holder.organization_id)
        query = query.where("inactive_reason", "==", waits.value)
        if holder.context_type is ContextType.MEMBER:
            query = query.where("user_id", "==", holder.owner)
        count = await tally(platform.store, query.at_most(1000))
    if not count:
        return ""
    which = "1 process instance waits" if count == 1 else f"{count} process instances wait"
    return f"{which} for missing integrations: rerun the deployment or activate again."
