"""Who asks, as listings know callers."""

from __future__ import annotations

from dataclasses import replace

from shared.errors import NotFound
from shared.model.apikey import ApiKey
from shared.model.listing import Listing
from shared.services.access import chosen_organization
from shared.services.marketplace.audiences import Viewer, names_teams
from shared.services.organizations.management import manages
from shared.services.organizations.teams import MOST_TEAMS, teams_of
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import find
from shared.store.store import Found


async def viewer_of(platform: Platform, key: ApiKey, organization_id: str | None) -> Viewer:
    """Return the caller in an organization; their teams are not looked up yet.

    Raises:
        Forbidden, NotFound, InvalidRequest: as :func:`chosen_organization`.
    """
    chosen, role = await chosen_organization(platform, key, organization_id)
    return Viewer(chosen, key.user_id, manages(key, role))


async def with_teams(platform: Platform, viewer: Viewer) -> Viewer:
    """Return the viewer with their teams: one query."""
    query = teams_of(viewer.organization_id).where("member_ids", "array_contains", viewer.user_id)
    found = await find(platform.store, query.at_most(MOST_TEAMS))
    return replace(viewer, team_ids=tuple(team.value.team_id for team in found))


async def visible_listing(
    platform: Platform, viewer: Viewer, process_id: str, found: Found[Listing] | None = None
) -> Listing:
    """Return a listing that is shown to the viewer; pass it when it was read already.

    Raises:
        NotFound (``PROCESS_NOT_FOUND``): there is none, or it is not shown to them, which is the same.
    """
    found = found or await platform.store.get(refs.listing(process_id))
    if found is not None:
        if names_teams(found.value) and not viewer.sees(found.value):
            viewer = await with_teams(platform, viewer)
        if viewer.sees(found.value):
            return found.value
    raise NotFound(f"Process {process_id} not found.", code="PROCESS_NOT_FOUND")
