"""List the runs of an installation, or of all installations of an organization (api §5.24)."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import Forbidden
from shared.model.apikey import ApiKey
from shared.model.execution import ListedRun
from shared.model.instance import ProcessInstance
from shared.services.access import accessible_instance, chosen_organization
from shared.services.platform import Platform
from shared.services.runs.filters import Cursor, Filters
from shared.store import refs
from shared.store.query import DOCUMENT_NAME, Query, across, below, find
from shared.store.store import Found

MAX_LIMIT = 100
"""More than that is as much as that (decision 7)."""


@dataclass(frozen=True, slots=True)
class Page:
    """Runs, the newest first. ``following`` is where older ones begin, unless there are none."""

    runs: list[ListedRun]
    following: str | None


async def list_runs(
    platform: Platform,
    key: ApiKey,
    process_instance_id: str,
    found: Found[ProcessInstance] | None,
    filters: Filters,
    limit: int,
) -> Page:
    """Return the newest runs of an installation that fit. What is unknown has none.

    Raises:
        NotFound, Forbidden: as for any use of the installation.
        InvalidRequest: the cursor is of another list.
    """
    await accessible_instance(platform, key, process_instance_id, found)
    query = below(refs.instance(process_instance_id), "executions", ListedRun)
    return await _page(platform, query, process_instance_id, filters, limit, process_instance_id)


async def list_organization_runs(
    platform: Platform, key: ApiKey, organization_id: str | None, filters: Filters, limit: int
) -> tuple[str, Page]:
    """Return the organization and the newest runs of all its installations that fit.

    Raises:
        Forbidden: the caller does not manage the organization: who sees which run is decided by installation.
        NotFound, InvalidRequest: as in :func:`chosen_organization`; the cursor is of another list.
    """
    chosen, role = await chosen_organization(platform, key, organization_id)
    if role is not None and not role.manages:
        raise Forbidden(
            "Only admins and owners can list the runs of the whole organization. List those of one process "
            "instance with listExecutionsPublic."
        )
    query = across("executions", ListedRun, "organization_id", chosen)
    return chosen, await _page(platform, query, chosen, filters, limit)


async def _page(
    platform: Platform,
    query: Query[ListedRun],
    owner: str,
    filters: Filters,
    limit: int,
    only_of: str | None = None,
) -> Page:
    """Return a page; it costs the documents it has, and one. ``only_of`` is the one installation it has."""
    size = min(limit, MAX_LIMIT)
    list_id = filters.digest(owner)
    query = filters.applied(query.fields_only()).newest_first("created_at").newest_first(DOCUMENT_NAME)
    if filters.cursor:
        at = Cursor.parse(filters.cursor, list_id)
        query = query.after(at.created_at, refs.execution(only_of or at.process_instance_id, at.execution_id))
    found = [one.value for one in await find(platform.store, query.at_most(size + 1))]
    if len(found) <= size:
        return Page(found, None)
    last = found[size - 1]
    cursor = Cursor(last.created_at, last.process_instance_id, last.execution_id)
    return Page(found[:size], cursor.text(list_id))
