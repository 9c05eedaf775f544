"""What the placeholders of a data ingestion stand for (platform §6.1)."""

from __future__ import annotations

from shared.model.ingestion import DataIngestion
from shared.placeholders import Values
from shared.services.deployments.values import holders_of, process_values, with_credentials
from shared.services.deployments.work import Tenant
from shared.services.platform import Platform


async def values_of(platform: Platform, ingestion: DataIngestion, text: str, tenant: Tenant) -> Values:
    """Return the values of every scope that needs no installation.

    Raises:
        Internal: the organization was never provisioned.
        MissingIntegrations: a credential the workflow needs is not connected.
    """
    values = await process_values(platform, tenant, ingestion.process_id, ingestion.user_id)
    return await with_credentials(platform, values, holders_of(tenant, ingestion.user_id), [text])
