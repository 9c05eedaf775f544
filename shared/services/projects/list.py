"""List projects (api §5.6)."""

from __future__ import annotations

from shared.model.apikey import ApiKey
from shared.model.project import Project
from shared.services.access import chosen_organization
from shared.services.platform import Platform
from shared.store.query import find, owned_by
from shared.store.store import Found

MAX_LIMIT = 100
"""More than that is as much as that (decision 7)."""


async def list_projects(
    platform: Platform, key: ApiKey, organization_id: str | None, *, archived: bool, limit: int
) -> tuple[str, list[Found[Project]]]:
    """Return the organization and its projects that the caller may see, newest first: members see their own.

    Raises: see :func:`chosen_organization`.
    """
    organization, role = await chosen_organization(platform, key, organization_id)
    query = owned_by("projects", Project, "organization_id", organization).where("archived", "==", archived)
    if role is not None and not role.manages:
        query = query.where("created_by", "==", key.user_id)
    newest = query.newest_first("created_at").at_most(min(limit, MAX_LIMIT))
    return organization, await find(platform.store, newest)
