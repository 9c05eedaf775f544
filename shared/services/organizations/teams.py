"""Teams: members who are named together when a process is shared (platform §3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from shared.errors import Conflict, InvalidRequest, NotFound
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.organization import Team
from shared.model.turn import TurnOf
from shared.services.access import chosen_organization
from shared.services.audit import audited
from shared.services.organizations.management import require_management
from shared.services.organizations.turns import take, until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import Query, below, find, tally
from shared.store.store import Create, Delete, Found, Patch, Write

MOST_TEAMS = 100


def teams_of(organization_id: str) -> Query[Team]:
    """Return the query of an organization's teams."""
    return below(refs.organization(organization_id), "teams", Team)


async def list_teams(platform: Platform, caller: ApiKey, organization_id: str | None) -> list[Team]:
    """Return the organization's teams by name.

    Raises:
        Forbidden, NotFound, InvalidRequest: as in :func:`chosen_organization`.
    """
    organization_id, _ = await chosen_organization(platform, caller, organization_id)
    found = await find(platform.store, teams_of(organization_id).at_most(MOST_TEAMS))
    return sorted((team.value for team in found), key=lambda team: (team.name.casefold(), team.team_id))


async def create_team(
    platform: Platform, caller: ApiKey, organization_id: str | None, name: str, member_ids: Sequence[str]
) -> Team:
    """Return a new team of members.

    Raises:
        Forbidden: no management role.
        InvalidRequest (``NOT_A_MEMBER``): somebody named is no member.
        Conflict (``TOO_MANY_TEAMS``): the organization has a hundred.
    """
    organization_id = await _managed(platform, caller, organization_id)
    team_id = platform.sources.auto_id()

    async def attempt(turn: Write) -> Team:
        if await tally(platform.store, teams_of(organization_id).at_most(MOST_TEAMS)) >= MOST_TEAMS:
            raise Conflict(f"An organization has at most {MOST_TEAMS} teams.", code="TOO_MANY_TEAMS")
        team = Team(
            organization_id=organization_id,
            team_id=team_id,
            name=name,
            member_ids=await _members(platform, organization_id, member_ids),
            created_at=platform.sources.now(),
        )
        entry = audited(platform, caller, AuditAction.TEAM_CHANGED, organization_id, team_id, name=name)
        await platform.store.commit(Create(refs.team(organization_id, team_id), team), entry, turn)
        return team

    return await _in_turn(platform, organization_id, attempt)


async def update_team(
    platform: Platform,
    caller: ApiKey,
    organization_id: str | None,
    team_id: str,
    name: str | None,
    member_ids: Sequence[str] | None,
) -> Team:
    """Return the team with another name, or other members; what is ``None`` stays.

    Raises:
        Forbidden: no management role.
        NotFound (``TEAM_NOT_FOUND``): the organization has no such team.
        InvalidRequest (``NOT_A_MEMBER``): somebody named is no member.
    """
    organization_id = await _managed(platform, caller, organization_id)

    async def attempt(turn: Write) -> Team:
        found = await _team(platform, organization_id, team_id)
        changes: dict[str, object] = {} if name is None else {"name": name}
        if member_ids is not None:
            changes["member_ids"] = await _members(platform, organization_id, member_ids)
        if not changes:
            raise InvalidRequest("Nothing to change: send name or memberIds.")
        told = sorted(changes)
        entry = audited(platform, caller, AuditAction.TEAM_CHANGED, organization_id, team_id, changed=told)
        await platform.store.commit(Patch(found.ref, changes, found.update_time), entry, turn)
        return found.value.model_copy(update=changes)

    return await _in_turn(platform, organization_id, attempt)


async def delete_team(platform: Platform, caller: ApiKey, organization_id: str | None, team_id: str) -> None:
    """Remove a team; its members stay, and see what was shared with it no more.

    Raises:
        Forbidden: no management role.
        NotFound (``TEAM_NOT_FOUND``): the organization has no such team.
    """
    organization_id = await _managed(platform, caller, organization_id)
    found = await _team(platform, organization_id, team_id)
    entry = audited(
        platform, caller, AuditAction.TEAM_REMOVED, organization_id, team_id, name=found.value.name
    )
    await platform.store.commit(Delete(found.ref), entry)


async def _managed(platform: Platform, caller: ApiKey, organization_id: str | None) -> str:
    organization_id, role = await chosen_organization(platform, caller, organization_id)
    require_management(caller, role, "manage teams")
    return organization_id


async def _in_turn(
    platform: Platform, organization_id: str, attempt: Callable[[Write], Awaitable[Team]]
) -> Team:
    # Who is a member must still be one when the team is written.
    turn = refs.turn(organization_id, TurnOf.MEMBERS)

    async def once() -> Team:
        taken = await platform.store.get(turn)
        return await attempt(take(turn, taken, platform.sources.now()))

    return await until_undisturbed(once)


async def _team(platform: Platform, organization_id: str, team_id: str) -> Found[Team]:
    found = await platform.store.get(refs.team(organization_id, team_id))
    if found is None:
        raise NotFound(f"Team {team_id} not found.", code="TEAM_NOT_FOUND")
    return found


async def _members(platform: Platform, organization_id: str, user_ids: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(user_ids))
    if not wanted:
        return []
    found = await platform.store.fetch(*(refs.member(organization_id, user_id) for user_id in wanted))
    strangers = [user_id for user_id, member in zip(wanted, found, strict=True) if member is None]
    if strangers:
        raise InvalidRequest(
            f"{strangers[0][:100]} is not a member of this organization.",
            code="NOT_A_MEMBER",
            field="memberIds",
        )
    return wanted
