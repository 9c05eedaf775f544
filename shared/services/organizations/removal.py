"""Remove a member: with the membership go keys, places in teams and integrations (platform §5).

In one commit, but for what is in n8n: of integrations that says only that they are unusable.
"""

from __future__ import annotations

from contextlib import suppress

from shared.errors import Conflict, UpstreamError
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.organization import Role
from shared.model.turn import TurnOf
from shared.model.user import User
from shared.services.access import chosen_organization
from shared.services.apikeys.active import active_keys_of
from shared.services.apikeys.revoke import revocation
from shared.services.audit import audited
from shared.services.faults import point
from shared.services.integrations.forsaken import ForsakenOrder, book, end_forsaken, forsaking, held_by
from shared.services.organizations.management import require_management
from shared.services.organizations.roles import not_a_member, require_another_owner, require_owner
from shared.services.organizations.teams import teams_of
from shared.services.organizations.turns import take, until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import find
from shared.store.store import Delete, Found, Patch, Write


async def remove_member(
    platform: Platform, caller: ApiKey, organization_id: str | None, user_id: str
) -> None:
    """End a membership, one's own or as a manager another's; the user's keys here are revoked with it.

    Raises:
        Forbidden: a plain member's try on somebody else, or an admin's on an owner.
        NotFound (``MEMBER_NOT_FOUND``): the user is no member.
        Conflict (``LAST_OWNER``): the organization would be left without an owner.
    """
    organization_id, caller_role = await chosen_organization(platform, caller, organization_id)
    if user_id != caller.user_id:
        require_management(caller, caller_role, "remove members")
    members, keys = (refs.turn(organization_id, of) for of in (TurnOf.MEMBERS, TurnOf.API_KEYS))

    async def attempt() -> None:
        members_taken, keys_taken, member, user = await platform.store.fetch(
            members, keys, refs.member(organization_id, user_id), refs.user(user_id)
        )
        if member is None:
            raise not_a_member(user_id)
        require_owner(caller, caller_role, member.value.role)
        if member.value.role is Role.OWNER:
            await require_another_owner(platform, organization_id)
        now = platform.sources.now()
        held = await find(platform.store, active_keys_of(organization_id, user_id, now))
        await platform.store.commit(
            Delete(member.ref),
            *_forgotten(user, organization_id),
            *(revocation(key, now) for key in held),
            *await _left_teams(platform, organization_id, user_id),
            *(forsaking(one) for one in await held_by(platform, organization_id, user_id)),
            take(members, members_taken, now),
            take(keys, keys_taken, now),
            audited(platform, caller, AuditAction.MEMBER_REMOVED, organization_id, user_id),
        )

    order = ForsakenOrder(organization_id=organization_id, user_id=user_id, ended_by=caller.user_id)
    await book(platform, order)
    await until_undisturbed(attempt)
    point("member.removed")
    # What cannot be done now, the task does.
    with suppress(UpstreamError, Conflict):
        await end_forsaken(platform, order)


def _forgotten(user: Found[User] | None, organization_id: str) -> list[Write]:
    if user is None:
        return []
    left = [known for known in user.value.organization_ids if known != organization_id]
    return [Patch(user.ref, {"organization_ids": left}, user.update_time)]


async def _left_teams(platform: Platform, organization_id: str, user_id: str) -> list[Write]:
    query = teams_of(organization_id).where("member_ids", "array_contains", user_id)
    return [
        Patch(
            team.ref,
            {"member_ids": [known for known in team.value.member_ids if known != user_id]},
            team.update_time,
        )
        for team in await find(platform.store, query)
    ]
