"""Change a member's role; the member's keys act in it from the next request on (platform §5)."""

from __future__ import annotations

from shared.errors import Conflict, Forbidden, NotFound
from shared.model.apikey import ApiKey, KeyKind
from shared.model.audit import AuditAction
from shared.model.organization import Role
from shared.model.turn import TurnOf
from shared.services.access import chosen_organization
from shared.services.apikeys.active import active_keys_of
from shared.services.audit import audited
from shared.services.organizations.management import require_management
from shared.services.organizations.members import members_of
from shared.services.organizations.turns import take, until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import find, tally
from shared.store.store import Patch


async def change_role(
    platform: Platform, caller: ApiKey, organization_id: str | None, user_id: str, role: Role
) -> None:
    """Give a member another role, and it to their active keys in the same commit.

    Raises:
        Forbidden: no management role, or an admin's try to make or unmake an owner.
        NotFound (``MEMBER_NOT_FOUND``): the user is no member.
        Conflict (``LAST_OWNER``): the organization would be left without an owner.
    """
    organization_id, caller_role = await chosen_organization(platform, caller, organization_id)
    require_management(caller, caller_role, "change roles")
    members, keys = (refs.turn(organization_id, of) for of in (TurnOf.MEMBERS, TurnOf.API_KEYS))

    async def attempt() -> None:
        members_taken, keys_taken, found = await platform.store.fetch(
            members, keys, refs.member(organization_id, user_id)
        )
        if found is None:
            raise not_a_member(user_id)
        old: Role = found.value.role
        if old is role:
            return
        require_owner(caller, caller_role, old, role)
        if old is Role.OWNER:
            await require_another_owner(platform, organization_id)
        now = platform.sources.now()
        held = await find(platform.store, active_keys_of(organization_id, user_id, now))
        told = {"from": old.value, "to": role.value}
        await platform.store.commit(
            Patch(found.ref, {"role": role.value}, found.update_time),
            *(Patch(key.ref, {"role": role.value}) for key in held),
            take(members, members_taken, now),
            take(keys, keys_taken, now),
            audited(platform, caller, AuditAction.MEMBER_ROLE_CHANGED, organization_id, user_id, **told),
        )

    await until_undisturbed(attempt)


def require_owner(caller: ApiKey, caller_role: Role | None, *roles: Role) -> None:
    """Check that owners are made, unmade and removed by owners alone.

    Raises:
        Forbidden: one of ``roles`` is the owner's and the caller is none.
    """
    if Role.OWNER in roles and caller.kind is not KeyKind.ADMIN and caller_role is not Role.OWNER:
        raise Forbidden("Only owners can make, change or remove owners.")


async def require_another_owner(platform: Platform, organization_id: str) -> None:
    """Check that more than one owner is left; the caller has read the members' turn before.

    Raises:
        Conflict (``LAST_OWNER``): there is only one.
    """
    owners = members_of(organization_id).where("role", "==", Role.OWNER.value).at_most(2)
    if await tally(platform.store, owners) < 2:
        raise Conflict(
            "This is the organization's last owner. Make somebody else an owner first.", code="LAST_OWNER"
        )


def not_a_member(user_id: str) -> NotFound:
    """Return the error for a user who does not belong to the organization."""
    return NotFound(f"Member {user_id} not found in this organization.", code="MEMBER_NOT_FOUND")
