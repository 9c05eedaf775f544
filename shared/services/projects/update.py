"""Change what a project is called and where it stands (platform §4)."""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors import Conflict, InvalidRequest
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.project import Project, ProjectStatus
from shared.model.transitions import may_become
from shared.services.access import accessible_project
from shared.services.audit import audited
from shared.services.platform import Platform
from shared.store.errors import Changed
from shared.store.store import Patch

_TRIES = 5
"""A deploy, or an upload of stage documents, may write to the project at the same moment."""


async def update_project(
    platform: Platform, key: ApiKey, project_id: str, wish: Mapping[str, object]
) -> Project:
    """Return a project once it has the ``name``, ``description`` and ``status`` it is to have.

    Raises:
        NotFound, Forbidden: see :func:`accessible_project`.
        InvalidRequest: nothing to change is named, or ``INVALID_STATUS``: no project comes from its status
            to that one.
        Conflict: others go on changing the project.
    """
    for _ in range(_TRIES):
        found = await accessible_project(platform, key, project_id)
        if not wish:
            raise InvalidRequest("Give a name, a description or a status to change.")
        project = found.value
        changes = {name: value for name, value in wish.items() if getattr(project, name) != value}
        if not changes:
            return project
        _require_reachable(project.status, changes.get("status"))
        entry = audited(
            platform, key, AuditAction.PROJECT_UPDATED, project.organization_id, project_id, **changes
        )
        try:
            await platform.store.commit(Patch(found.ref, changes, found.update_time), entry)
        except Changed:
            continue
        return project.model_copy(update=changes)
    raise Conflict("The project is being changed by others. Try again in a moment.")


def _require_reachable(status: ProjectStatus, wanted: object) -> None:
    if isinstance(wanted, ProjectStatus) and not may_become(status, wanted):
        raise InvalidRequest(
            f"A project that is {status.value} cannot become {wanted.value}. A draft is taken up first, "
            "by a stage document, a deploy or by hand; what is in progress can be completed.",
            code="INVALID_STATUS",
            field="status",
        )
