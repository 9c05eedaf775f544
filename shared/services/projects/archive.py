"""Put a project away, and take it out again."""

from __future__ import annotations

from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.services.access import accessible_project
from shared.services.audit import audited
from shared.services.platform import Platform
from shared.store.store import Patch


async def set_archived(platform: Platform, key: ApiKey, project_id: str, archived: bool) -> None:
    """Archive a project or undo that; what is so already stays so. Its installations run on.

    Raises:
        NotFound, Forbidden: see :func:`accessible_project`.
    """
    project = await accessible_project(platform, key, project_id)
    if project.value.archived == archived:
        return
    action = AuditAction.PROJECT_ARCHIVED if archived else AuditAction.PROJECT_UNARCHIVED
    await platform.store.commit(
        Patch(project.ref, {"archived": archived}),
        audited(platform, key, action, project.value.organization_id, project_id),
    )
