"""Members of an organization and their roles (platform §3, §5)."""

from __future__ import annotations

from pydantic import Field

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.organization import Role
from shared.model.scopes import Scope
from shared.services.organizations.removal import remove_member
from shared.services.organizations.roles import change_role
from shared.services.organizations.roster import roster

_ERRORS = (InvalidRequest, Unauthorized, Forbidden, NotFound)


class OfOrganization(Document):
    """Names an organization where the key belongs to none, or to a user with several."""

    organization_id: str | None = None


class MemberShown(Document):
    """A member. ``email`` is absent for a user without an address."""

    user_id: str
    email: str | None = None
    display_name: str
    role: Role
    joined_at: Timestamp


class MembersShown(Document):
    """The members of an organization."""

    members: list[MemberShown]
    count: int


@endpoint(
    "GET",
    "listOrganizationMembers",
    # Who shares an installation has to name people.
    access=keys(O, P, A, scopes=(Scope.API_KEYS_MANAGE, Scope.INSTANCES_MANAGE)),
    envelope=Envelope.DATA,
    request=OfOrganization,
    response=MembersShown,
    errors=_ERRORS,
)
async def list_organization_members(call: Call[OfOrganization]) -> MembersShown:
    """List the members of an organization with their roles."""
    listed = await roster(call.platform, call.caller, call.body.organization_id)
    shown = [
        MemberShown(
            user_id=one.member.user_id,
            email=one.user.email if one.user else None,
            display_name=one.user.display_name if one.user else "",
            role=one.member.role,
            joined_at=one.member.created_at,
        )
        for one in listed
    ]
    return MembersShown(members=shown, count=len(shown))


class OfMember(Document):
    """Names a member of an organization."""

    user_id: str = Field(min_length=1)
    organization_id: str | None = None


class ChangeRole(OfMember):
    """The role a member is to have."""

    role: Role


class RoleChanged(Document):
    """A member's role now."""

    user_id: str
    role: Role


@endpoint(
    "POST",
    "changeMemberRole",
    access=keys(O, P, A, scopes=(Scope.API_KEYS_MANAGE,), management=True),
    envelope=Envelope.DATA,
    request=ChangeRole,
    response=RoleChanged,
    errors=(*_ERRORS, Conflict),
)
async def change_member_role(call: Call[ChangeRole]) -> RoleChanged:
    """Give a member another role, which their keys have from the next request on."""
    body = call.body
    await change_role(call.platform, call.caller, body.organization_id, body.user_id, body.role)
    return RoleChanged(user_id=body.user_id, role=body.role)


class MemberRemoved(Document):
    """A user who is no member any more."""

    user_id: str


@endpoint(
    "POST",
    "removeMember",
    access=keys(O, P, A, scopes=(Scope.API_KEYS_MANAGE,)),
    envelope=Envelope.DATA,
    request=OfMember,
    response=MemberRemoved,
    errors=(*_ERRORS, Conflict),
)
async def remove_organization_member(call: Call[OfMember]) -> MemberRemoved:
    """Remove a member and revoke their keys of this organization; members may remove themselves."""
    await remove_member(call.platform, call.caller, call.body.organization_id, call.body.user_id)
    return MemberRemoved(user_id=call.body.user_id)
