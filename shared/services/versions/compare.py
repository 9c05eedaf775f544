"""Compare two versions of a project."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from shared.ensemble.difference import Difference, difference
from shared.model.apikey import ApiKey
from shared.services.access import accessible_project
from shared.services.platform import Platform
from shared.services.versions.find import sources_of, version_of


@dataclass(frozen=True, slots=True)
class Compared:
    """Two versions, ``X.Y`` each, and what differs from the first to the second."""

    before: str
    after: str
    difference: Difference


async def compare_versions(
    platform: Platform, key: ApiKey, project_id: str, before: str, after: str
) -> Compared:
    """Return what differs; workflow files that did not change are not even read.

    Raises:
        NotFound (``PROJECT_NOT_FOUND``, ``VERSION_NOT_FOUND``), Forbidden.
    """
    await accessible_project(platform, key, project_id)
    old, new = await asyncio.gather(
        version_of(platform, project_id, before), version_of(platform, project_id, after)
    )
    sources = await asyncio.gather(
        sources_of(platform, old, besides=new), sources_of(platform, new, besides=old)
    )
    return Compared(old.version, new.version, difference(*sources))
