"""Teams of an organization (platform §3)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.organization import Team
from shared.model.scopes import Scope
from shared.services.organizations.teams import create_team, delete_team, list_teams, update_team

# Who shares an installation has to name teams.
_READING = keys(O, P, A, scopes=(Scope.API_KEYS_MANAGE, Scope.INSTANCES_MANAGE))
_MANAGING = keys(O, P, A, scopes=(Scope.API_KEYS_MANAGE,), management=True)
_ERRORS = (InvalidRequest, Unauthorized, Forbidden, NotFound)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
MemberIds = Annotated[list[str], Field(max_length=200)]


class OfOrganization(Document):
    """Names an organization where the key belongs to none, or to a user with several."""

    organization_id: str | None = None


class TeamShown(Document):
    """A team and the user ids of its members."""

    team_id: str
    name: str
    member_ids: list[str]
    created_at: Timestamp


class TeamsShown(Document):
    """Teams by name."""

    teams: list[TeamShown]
    count: int


def _shown(team: Team) -> TeamShown:
    return TeamShown(**team.model_dump(include=set(TeamShown.model_fields)))


@endpoint(
    "GET",
    "listTeams",
    access=_READING,
    envelope=Envelope.DATA,
    request=OfOrganization,
    response=TeamsShown,
    errors=_ERRORS,
)
async def list_organization_teams(call: Call[OfOrganization]) -> TeamsShown:
    """List the teams of an organization."""
    teams = await list_teams(call.platform, call.caller, call.body.organization_id)
    return TeamsShown(teams=[_shown(team) for team in teams], count=len(teams))


class CreateTeam(OfOrganization):
    """A team to create."""

    name: Name
    member_ids: MemberIds = []


@endpoint(
    "POST",
    "createTeam",
    access=_MANAGING,
    envelope=Envelope.DATA,
    request=CreateTeam,
    response=TeamShown,
    errors=(*_ERRORS, Conflict),
)
async def create_organization_team(call: Call[CreateTeam]) -> TeamShown:
    """Create a team of members."""
    body = call.body
    return _shown(
        await create_team(call.platform, call.caller, body.organization_id, body.name, body.member_ids)
    )


class OfTeam(OfOrganization):
    """Names a team."""

    team_id: str = Field(min_length=1)


class UpdateTeam(OfTeam):
    """What to change of a team; ``member_ids`` replaces all of them."""

    name: Name | None = None
    member_ids: MemberIds | None = None


@endpoint(
    "POST",
    "updateTeam",
    access=_MANAGING,
    envelope=Envelope.DATA,
    request=UpdateTeam,
    response=TeamShown,
    errors=(*_ERRORS, Conflict),
)
async def update_organization_team(call: Call[UpdateTeam]) -> TeamShown:
    """Change name or members of a team."""
    body = call.body
    changed = update_team(
        call.platform, call.caller, body.organization_id, body.team_id, body.name, body.member_ids
    )
    return _shown(await changed)


class TeamDeleted(Document):
    """A team that is no more."""

    team_id: str


@endpoint(
    "POST",
    "deleteTeam",
    access=_MANAGING,
    envelope=Envelope.DATA,
    request=OfTeam,
    response=TeamDeleted,
    errors=_ERRORS,
)
async def delete_organization_team(call: Call[OfTeam]) -> TeamDeleted:
    """Delete a team."""
    await delete_team(call.platform, call.caller, call.body.organization_id, call.body.team_id)
    return TeamDeleted(team_id=call.body.team_id)
