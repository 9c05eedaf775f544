"""Changing to whom a published process is shown. What was installed before stays (decision 0017)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from shared.errors import Conflict, InvalidRequest
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.project import ProcessType, Visibility
from shared.services.access import accessible_project
from shared.services.audit import audited
from shared.services.marketplace.listing import patch
from shared.services.platform import Platform
from shared.services.publishing.audience import Audience, visibility_of
from shared.services.publishing.people import require_named
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Patch

_TRIES = 5
"""A publish may write to the process at the same moment."""


@dataclass(frozen=True, slots=True)
class Shown:
    """To whom a process is shown now."""

    process_id: str
    visibility: Visibility
    team_ids: list[str]
    user_ids: list[str]


async def set_visibility(platform: Platform, key: ApiKey, project_id: str, wanted: Audience) -> Shown:
    """Show what a project published to others than before.

    Raises:
        NotFound (``PROJECT_NOT_FOUND``), Forbidden: as :func:`accessible_project`.
        Conflict (``NOT_PUBLISHED``): nothing was published yet; others go on changing the process.
        InvalidRequest: it contradicts itself, or names teams or users the organization does not have.
    """
    for _ in range(_TRIES):
        project = (await accessible_project(platform, key, project_id)).value
        if not project.has_published_process or project.process_id is None:
            raise Conflict(
                "Nothing of this project is published. Publish a version first.", code="NOT_PUBLISHED"
            )
        if wanted.visibility is None and not (wanted.team_ids or wanted.user_ids):
            raise InvalidRequest("visibility is required.", field="visibility", reason="is required")
        # What a kind of process is shown to by default matters only where nothing is asked for.
        visibility = visibility_of(ProcessType.PERSONAL, wanted)
        await require_named(platform, project.organization_id, wanted)
        with suppress(Changed):
            return await _change(platform, key, project_id, project.process_id, visibility, wanted)
    raise Conflict("The process is being changed by others. Try again in a moment.")


async def _change(
    platform: Platform,
    key: ApiKey,
    project_id: str,
    process_id: str,
    visibility: Visibility,
    wanted: Audience,
) -> Shown:
    # Read at once: what is put away meanwhile must not be shown again.
    project, process, listing = await platform.store.fetch(
        refs.project(project_id), refs.process(process_id), refs.listing(process_id)
    )
    if project is None or process is None:
        raise Changed("The process is gone.")
    team_ids, user_ids = list(dict.fromkeys(wanted.team_ids)), list(dict.fromkeys(wanted.user_ids))
    changes: dict[str, object] = {
        "visibility": visibility,
        "visibility_team_ids": team_ids,
        "visibility_user_ids": user_ids,
    }
    shown = process.value.model_copy(update=changes)
    listed = (
        [patch(listing.value, shown, listing.update_time, hidden=project.value.archived)] if listing else []
    )
    await platform.store.commit(
        Patch(process.ref, changes, process.update_time),
        *listed,
        audited(
            platform,
            key,
            AuditAction.PROCESS_VISIBILITY_CHANGED,
            project.value.organization_id,
            process_id,
            visibility=visibility.value,
            project_id=project_id,
        ),
    )
    return Shown(process_id, visibility, team_ids, user_ids)
