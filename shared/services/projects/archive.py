"""Put a project away, and take it out again."""

from __future__ import annotations

from contextlib import suppress

from shared.errors import Conflict
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.project import Project
from shared.services.access import accessible_project
from shared.services.audit import audited
from shared.services.marketplace.listing import patch
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Patch, Write

_TRIES = 5
"""A deploy or a publish may write to the project at the same moment."""


async def set_archived(platform: Platform, key: ApiKey, project_id: str, archived: bool) -> None:
    """Archive a project or undo that; what is so already stays so. Its installations run on.

    What was published of it is hidden from others meanwhile.

    Raises:
        NotFound, Forbidden: see :func:`accessible_project`.
        Conflict: others go on changing the project.
    """
    action = AuditAction.PROJECT_ARCHIVED if archived else AuditAction.PROJECT_UNARCHIVED
    for _ in range(_TRIES):
        project = await accessible_project(platform, key, project_id)
        if project.value.archived == archived:
            return
        with suppress(Changed):
            await platform.store.commit(
                Patch(project.ref, {"archived": archived}, project.update_time),
                *await _hiding(platform, project.value, archived),
                audited(platform, key, action, project.value.organization_id, project_id),
            )
            return
    raise Conflict("The project is being changed by others. Try again in a moment.")


async def _hiding(platform: Platform, project: Project, archived: bool) -> list[Write]:
    """Return what hides the project's listing, or shows it again to whom it was shown."""
    if project.process_id is None:
        return []
    process, listing = await platform.store.fetch(
        refs.process(project.process_id), refs.listing(project.process_id)
    )
    if process is None or listing is None:
        return []
    return [patch(listing.value, process.value, listing.update_time, hidden=archived)]
