"""Which running installations, and which active data ingestions, stand on an integration."""

from __future__ import annotations

from shared.model.ingestion import DataIngestion, IngestionStatus
from shared.model.instance import ProcessInstance
from shared.model.integrations import ContextType
from shared.services.integrations.places import Place
from shared.services.platform import Platform
from shared.store.query import find, owned_by
from shared.store.store import Found


async def dependants_of(
    platform: Platform, place: Place, integration_id: str
) -> list[Found[ProcessInstance]]:
    """Return the running installations that stand on it. Of the platform's own no tenant is told."""
    holder = place.holder
    if holder.context_type is ContextType.PLATFORM:
        return []
    use = holder.use_of(integration_id)
    if place.instance is not None:
        instance = place.instance.value
        return [place.instance] if instance.is_active and use in instance.integration_uses else []
    query = (
        owned_by("processInstances", ProcessInstance, "organization_id", holder.organization_id)
        .where("is_active", "==", True)
        .where("integration_uses", "array_contains", use)
    )
    return await find(platform.store, query)


async def ingestions_of(platform: Platform, place: Place, integration_id: str) -> list[Found[DataIngestion]]:
    """Return the active data ingestions that stand on it; they have nothing of an installation."""
    holder = place.holder
    if holder.context_type in (ContextType.PLATFORM, ContextType.PROCESS_INSTANCE):
        return []
    query = (
        owned_by("dataIngestions", DataIngestion, "organization_id", holder.organization_id)
        .where("status", "==", IngestionStatus.ACTIVE.value)
        .where("integration_uses", "array_contains", holder.use_of(integration_id))
    )
    return await find(platform.store, query)
