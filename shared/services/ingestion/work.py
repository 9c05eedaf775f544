"""Everything the deploy of a data ingestion works with, from the documents or fresh from the request."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import Internal
from shared.model.ingestion import DataIngestion
from shared.services.deployments.work import Tenant, load_tenant
from shared.services.platform import Platform
from shared.store import refs


@dataclass(frozen=True, slots=True)
class Work:
    """One data ingestion to bring into n8n.

    ``replaces`` is the one that is active now; ``clears`` are failed ones whose traces are to be removed.
    """

    ingestion: DataIngestion
    text: str = field(repr=False)
    tenant: Tenant = field(repr=False)
    replaces: DataIngestion | None
    clears: tuple[DataIngestion, ...]

    @property
    def id(self) -> str:
        """The data ingestion."""
        return self.ingestion.data_ingestion_id


async def load_work(platform: Platform, ingestion: DataIngestion) -> Work:
    """Return a data ingestion's work from what was recorded, for a worker that takes it over.

    Raises:
        Internal: a document it refers to is missing.
    """
    tenant = await load_tenant(platform, ingestion.organization_id, ingestion.user_id, departed=True)
    try:
        contents = await platform.blobs.get(ingestion.organization_id, [ingestion.workflow_blob])
    except KeyError:
        raise Internal(f"The file of data ingestion {ingestion.data_ingestion_id} is missing.") from None
    return await related(platform, ingestion, contents[ingestion.workflow_blob].decode(), tenant)


async def related(platform: Platform, ingestion: DataIngestion, text: str, tenant: Tenant) -> Work:
    """Return the work of a data ingestion, read together with the others it has to do with."""
    ids = [ingestion.replaces_id, *ingestion.clears]
    named = [refs.data_ingestion(i) for i in ids if i is not None]
    found = [f.value for f in (await platform.store.fetch(*named) if named else ()) if f is not None]
    return Work(
        ingestion=ingestion,
        text=text,
        tenant=tenant,
        replaces=next((i for i in found if i.data_ingestion_id == ingestion.replaces_id), None),
        clears=tuple(i for i in found if i.data_ingestion_id in ingestion.clears),
    )
