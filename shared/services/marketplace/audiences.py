"""To whom a process is shown, and who a caller is to listings (decision 0017). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.model.listing import Listing
from shared.model.project import Process, Visibility

PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A caller in an organization. ``team_ids`` are the teams of that organization they are in."""

    organization_id: str
    user_id: str
    manages: bool
    team_ids: tuple[str, ...] = ()

    @property
    def wide(self) -> list[str]:
        """The audiences of many that the viewer is part of."""
        return [PUBLIC, _organization(self.organization_id)]

    @property
    def narrow(self) -> list[str]:
        """The audiences of few."""
        managers = [_managers(self.organization_id)] if self.manages else []
        return [_user(self.organization_id, self.user_id), *managers, *map(_team, self.team_ids)]

    def sees(self, listing: Listing) -> bool:
        """Return whether a listing is shown to the viewer."""
        return not set(listing.audiences).isdisjoint([*self.wide, *self.narrow])


def audiences_of(process: Process) -> list[str]:
    """Return to whom a process is shown. Its owner and those who manage the owner's organization see it."""
    organization_id = process.organization_id
    match process.visibility:
        case Visibility.PUBLIC:
            return [PUBLIC]
        case Visibility.ORGANIZATIONAL:
            return [_organization(organization_id)]
        case Visibility.TEAM_LIST:
            listed = [_team(team_id) for team_id in process.visibility_team_ids]
        case Visibility.USER_LIST:
            listed = [_user(organization_id, user_id) for user_id in process.visibility_user_ids]
        case Visibility.PRIVATE:
            listed = []
    own = [_user(organization_id, process.owner_id), _managers(organization_id)]
    return list(dict.fromkeys([*own, *listed]))


def index_of(audiences: Iterable[str], terms: Iterable[str]) -> list[str]:
    """Return what a listing is found by: its audiences, and the wide ones joined with each term."""
    listed, words = list(audiences), list(terms)
    wide = [audience for audience in listed if _is_wide(audience)]
    return [*listed, *(joined(audience, word) for audience in wide for word in words)]


def joined(audience: str, term: str | None) -> str:
    """Return what finds the listings of an audience, those with a term if there is one."""
    return audience if term is None else f"{audience}|{term}"


def names_teams(listing: Listing) -> bool:
    """Return whether it takes a viewer's teams to know whether a listing is shown to them."""
    return any(audience.startswith("team:") for audience in listing.audiences)


def _is_wide(audience: str) -> bool:
    return audience == PUBLIC or audience.startswith("organization:")


def _organization(organization_id: str) -> str:
    return f"organization:{organization_id}"


def _managers(organization_id: str) -> str:
    return f"managers:{organization_id}"


def _team(team_id: str) -> str:
    return f"team:{team_id}"


def _user(organization_id: str, user_id: str) -> str:
    return f"user:{organization_id}:{user_id}"
