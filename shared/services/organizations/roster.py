"""Who belongs to an organization, as its members see it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.model.apikey import ApiKey
from shared.model.organization import Member, Role
from shared.model.user import User
from shared.services.access import chosen_organization
from shared.services.organizations.members import members_of
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import find

_RANK = {Role.OWNER: 0, Role.ADMIN: 1, Role.MEMBER: 2}


@dataclass(frozen=True, slots=True)
class Listed:
    """A membership and the person behind it."""

    member: Member
    user: User | None


async def roster(platform: Platform, caller: ApiKey, organization_id: str | None) -> list[Listed]:
    """Return the members: owners, then admins, then members, each the longest-standing first.

    Raises:
        Forbidden, NotFound, InvalidRequest: as in :func:`chosen_organization`.
    """
    organization_id, _ = await chosen_organization(platform, caller, organization_id)
    members = [found.value for found in await find(platform.store, members_of(organization_id))]
    members.sort(key=lambda member: (_RANK[member.role], member.created_at, member.user_id))
    users = await platform.store.fetch(*(refs.user(member.user_id) for member in members))
    pairs = zip(members, users, strict=True)
    return [Listed(member, user.value if user else None) for member, user in pairs]
