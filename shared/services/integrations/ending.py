"""The end of an integration: what stands on it is switched off, then it goes from n8n, then its record."""

from __future__ import annotations

from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.instance_events import Event
from shared.model.integrations import Holder, Integration
from shared.services.audit import audited
from shared.services.faults import point
from shared.services.ingestion.stop import stop
from shared.services.instances.switch import switch
from shared.services.integrations.dependants import dependants_of, ingestions_of
from shared.services.integrations.oauth.revoke import revoke
from shared.services.integrations.places import Place
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.store.store import Delete, Found


async def stop_dependants(platform: Platform, place: Place, integration_id: str, actor: ApiKey | str) -> int:
    """Switch off what stands on an integration that is marked unusable; how many that were. Safe to repeat.

    Raises:
        Conflict: one of them is being deployed or switched; to be repeated.
        UpstreamError: n8n is down; to be repeated.
    """
    dependants = await dependants_of(platform, place, integration_id)
    for dependant in dependants:
        await switch(platform, dependant, Event.INTEGRATION_LOST, actor)
    ingestions = await ingestions_of(platform, place, integration_id)
    for ingestion in ingestions:
        await stop(platform, ingestion, actor)
    return len(dependants) + len(ingestions)


async def end(platform: Platform, actor: ApiKey | str, holder: Holder, found: Found[Integration]) -> None:
    """Delete an integration on which nothing stands any more. Safe to repeat.

    Raises:
        UpstreamError: n8n refuses or is down.
    """
    integration = found.value
    if integration.n8n_credential_id:
        client = await n8n_client(platform, integration.backend_id)
        await client.delete_credential(integration.n8n_credential_id)
    point("integration.credential_deleted")
    await revoke(platform, holder, integration)
    entry = audited(
        platform,
        actor,
        AuditAction.INTEGRATION_DELETED,
        holder.organization_id,
        holder.use_of(integration.integration_id),
        n8nCredentialId=integration.n8n_credential_id,
        backendId=integration.backend_id,
    )
    await platform.store.commit(Delete(found.ref), entry)
