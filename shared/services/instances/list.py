"""List installations (api §5.18)."""

from __future__ import annotations

from shared.model.apikey import ApiKey
from shared.model.instance import EVERYONE, Environment, ProcessInstance
from shared.services.access import chosen_organization
from shared.services.platform import Platform
from shared.store.query import Query, find, owned_by
from shared.store.store import Found

MAX_LIMIT = 100
"""More than that is as much as that (decision 7)."""


async def list_instances(
    platform: Platform,
    key: ApiKey,
    organization_id: str | None,
    *,
    environment: str | None,
    archived: bool,
    limit: int,
) -> tuple[str, list[Found[ProcessInstance]]]:
    """Return the organization and its installations that the caller may see, the newest first.

    Managers see all, members their own and what is shared with them. An environment that does not exist has
    none.

    Raises: see :func:`chosen_organization`.
    """
    organization, role = await chosen_organization(platform, key, organization_id)
    query = owned_by("processInstances", ProcessInstance, "organization_id", organization)
    query = query.where("archived", "==", archived)
    if environment:
        if environment not in list(Environment):
            return organization, []
        query = query.where("environment", "==", environment)
    if role is not None and not role.manages:
        query = query.where("visible_to", "array_contains_any", [key.user_id, EVERYONE])
    newest = query.newest_first("installed_at")
    return organization, await _listed(platform, newest, min(limit, MAX_LIMIT))


async def _listed(
    platform: Platform, query: Query[ProcessInstance], limit: int
) -> list[Found[ProcessInstance]]:
    """Return the first that are not uninstalled. Only archived ones can be, and few are."""
    size = limit
    while True:
        found = await find(platform.store, query.at_most(size))
        kept = [one for one in found if one.value.uninstalled_at is None]
        if len(kept) >= limit or len(found) < size:
            return kept[:limit]
        size *= 2
