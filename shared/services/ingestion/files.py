"""The source files of a process's data ingestions (api §5.9)."""

from __future__ import annotations

from shared.model.template import StoredFile
from shared.services.platform import Platform
from shared.store import refs


async def ingestion_files(
    platform: Platform, process_id: str, version: str | None
) -> tuple[str, list[StoredFile]] | None:
    """Return a version of a process's data ingestion and its files; ``None`` when there is none.

    Without ``version`` that is the latest that went live. Costs one round trip, or two for the latest. The
    contents are blobs of the process's organization.
    """
    wanted = version or await _latest(platform, process_id)
    found = await platform.store.get(refs.ingestion_version(process_id, wanted)) if wanted else None
    return None if found is None or wanted is None else (wanted, [found.value.file])


async def _latest(platform: Platform, process_id: str) -> str | None:
    process = await platform.store.get(refs.process(process_id))
    return process.value.latest_ingestion_version if process else None
