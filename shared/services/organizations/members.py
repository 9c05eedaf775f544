"""Membership: who belongs to an organization (platform §3)."""

from __future__ import annotations

import hashlib

from shared.errors import Conflict, NotFound
from shared.model.organization import Member, Organization, Role
from shared.model.turn import TurnOf
from shared.model.user import User
from shared.services.organizations.turns import take, until_undisturbed
from shared.services.platform import Platform
from shared.services.secrets import execution_auth, seal_text
from shared.store import refs
from shared.store.errors import AlreadyExists, Changed
from shared.store.query import Query, below, tally
from shared.store.store import Create, Found, Patch, Write


async def add_member(platform: Platform, organization_id: str, user_id: str, role: Role) -> None:
    """Add a user with an execution secret of their own; a user who is a member stays as they are.

    A user nobody has heard of yet is recorded, without an address. Seats are not asked for.
    """
    created = await membership(platform, organization_id, user_id, role)
    while True:
        member, user = await platform.store.fetch(refs.member(organization_id, user_id), refs.user(user_id))
        if member is not None:
            return
        joining = joined(platform, organization_id, user_id, user)
        try:
            await platform.store.commit(created, joining)
            return
        except (AlreadyExists, Changed):
            continue


async def add_member_within_seats(
    platform: Platform, organization_id: str, user_id: str, role: Role, *also: Write
) -> bool:
    """Add a user if a seat is left, with what else belongs into the same commit; return whether they joined.

    A user who is a member stays as they are, and nothing is written. A condition in ``also`` that fails for
    good makes this fail.

    Raises:
        Conflict: ``SEATS_EXHAUSTED``, the plan has no seat left; ``TRY_AGAIN``, too many changes at once.
        NotFound (``ORGANIZATION_NOT_FOUND``): there is none with that id.
    """
    created = await membership(platform, organization_id, user_id, role)
    turn = refs.turn(organization_id, TurnOf.MEMBERS)

    async def attempt() -> bool:
        taken, organization, member, user = await platform.store.fetch(
            turn, refs.organization(organization_id), created.ref, refs.user(user_id)
        )
        if member is not None:
            return False
        if await _left(platform, organization_id, organization) < 1:
            raise Conflict(
                "The organization has no seat left. Remove a member or choose a larger plan.",
                code="SEATS_EXHAUSTED",
            )
        joining = joined(platform, organization_id, user_id, user)
        now = platform.sources.now()
        await platform.store.commit(created, joining, take(turn, taken, now), *also)
        return True

    return await until_undisturbed(attempt)


async def seats_left(platform: Platform, organization_id: str) -> int:
    """Return how many members may still join; 0 when there are more than the plan has seats for.

    Raises:
        NotFound (``ORGANIZATION_NOT_FOUND``): there is none with that id.
    """
    found = await platform.store.get(refs.organization(organization_id))
    return await _left(platform, organization_id, found)


async def seats_used(platform: Platform, organization_id: str) -> int:
    """Return how many members an organization has."""
    return await tally(platform.store, members_of(organization_id))


def members_of(organization_id: str) -> Query[Member]:
    """Return the query of an organization's members."""
    return below(refs.organization(organization_id), "members", Member)


async def membership(platform: Platform, organization_id: str, user_id: str, role: Role) -> Create[Member]:
    """Return what makes a user a member; the user's own document has to name the organization too."""
    secret = platform.sources.token()
    member = Member(
        organization_id=organization_id,
        user_id=user_id,
        role=role,
        created_at=platform.sources.now(),
        execution_auth=await seal_text(platform, secret, execution_auth(organization_id, user_id)),
        execution_auth_digest=hashlib.sha256(secret.encode()).hexdigest(),
    )
    return Create(refs.member(organization_id, user_id), member)


def joined(platform: Platform, organization_id: str, user_id: str, user: Found[User] | None) -> Write:
    """Return what makes the user's own document name the organization, if it is still as it was read."""
    if user is None:
        new = User(user_id=user_id, created_at=platform.sources.now(), organization_ids=[organization_id])
        return Create(refs.user(user_id), new)
    ids = [*user.value.organization_ids, organization_id]
    return Patch(user.ref, {"organization_ids": ids}, user.update_time)


async def _left(platform: Platform, organization_id: str, organization: Found[Organization] | None) -> int:
    if organization is None:
        raise NotFound(f"Organization {organization_id} not found.", code="ORGANIZATION_NOT_FOUND")
    used = await seats_used(platform, organization_id)
    return max(0, organization.value.seats - used)
