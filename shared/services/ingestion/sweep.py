"""Removing from n8n what a data ingestion's document says is left there."""

from __future__ import annotations

from collections.abc import Iterable

from shared.n8n.client import N8nClient
from shared.services.deployments.restore import remove
from shared.services.ingestion.work import Work
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Patch


async def sweep(platform: Platform, work: Work, client: N8nClient, leftovers: Iterable[str]) -> None:
    """Delete workflows; none of them is to answer any more.

    Raises:
        UpstreamError
    """
    for n8n_id in leftovers:
        await remove(client, n8n_id)
    await platform.store.commit(Patch(refs.data_ingestion(work.id), {"leftovers": []}))
