"""Invitations into an organization, accepted with a token sent by mail."""

from __future__ import annotations

from pydantic import Field, JsonValue

from functions.granting import KeyWish, LoggedIn, read_key_wish, shown
from shared.errors import (
    Conflict,
    Forbidden,
    Gone,
    Internal,
    InvalidRequest,
    NotFound,
    RateLimited,
    Unauthorized,
)
from shared.http.access import A, O, P, Public, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.invitation import Invitation
from shared.model.organization import Role
from shared.model.scopes import Scope
from shared.services.accounts.accept import accept
from shared.services.accounts.invite import invite, open_invitations, revoke

_MANAGING = keys(O, P, A, scopes=(Scope.API_KEYS_MANAGE,), management=True)


class CreateInvitation(Document):
    """The body of ``createInvitation``; ``organization_id`` for keys that have none."""

    email: JsonValue = Field(json_schema_extra={"type": "string", "format": "email"})
    role: Role = Role.MEMBER
    organization_id: str | None = None


class ShownInvitation(Document):
    """An invitation, without its token."""

    invitation_id: str
    organization_id: str
    email: str
    role: Role
    status: str
    invited_by: str
    created_at: Timestamp
    expires_at: Timestamp


class ListInvitations(Document):
    """The query of ``listInvitations``; ``organization_id`` for keys that have none."""

    organization_id: str | None = None


class Invitations(Document):
    """The open invitations of an organization, newest first."""

    invitations: list[ShownInvitation]
    count: int


class RevokeInvitation(Document):
    """The body of ``revokeInvitation``."""

    invitation_id: str


class AcceptInvitation(Document):
    """The body of ``acceptInvitation``."""

    token: str
    api_key: KeyWish | None = None


@endpoint(
    "POST",
    "createInvitation",
    access=_MANAGING,
    envelope=Envelope.DATA,
    request=CreateInvitation,
    response=ShownInvitation,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, RateLimited, Internal),
)
async def create_invitation(call: Call[CreateInvitation]) -> ShownInvitation:
    """Invite somebody by mail; an open invitation of the same address is replaced."""
    body = call.body
    made = await invite(
        call.platform, call.caller, email=body.email, role=body.role, organization_id=body.organization_id
    )
    return _shown(made)


@endpoint(
    "GET",
    "listInvitations",
    access=_MANAGING,
    envelope=Envelope.DATA,
    request=ListInvitations,
    response=Invitations,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_invitations(call: Call[ListInvitations]) -> Invitations:
    """List the invitations that can still be accepted."""
    found = await open_invitations(call.platform, call.caller, call.body.organization_id)
    return Invitations(invitations=[_shown(invitation) for invitation in found], count=len(found))


@endpoint(
    "POST",
    "revokeInvitation",
    access=_MANAGING,
    envelope=Envelope.DATA,
    request=RevokeInvitation,
    response=ShownInvitation,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def revoke_invitation(call: Call[RevokeInvitation]) -> ShownInvitation:
    """Take an invitation back: its token opens nothing any more."""
    return _shown(await revoke(call.platform, call.caller, call.body.invitation_id))


@endpoint(
    "POST",
    "acceptInvitation",
    access=Public(),
    envelope=Envelope.AUTH,
    request=AcceptInvitation,
    response=LoggedIn,
    errors=(InvalidRequest, NotFound, Conflict, Gone, RateLimited),
)
async def accept_invitation(call: Call[AcceptInvitation]) -> LoggedIn:
    """Join an organization with the token that was mailed; hands out a key."""
    options = read_key_wish(call.platform, call.body.api_key)
    granted = await accept(call.platform, call.body.token.strip(), options)
    call.notes["organizationId"] = granted.organization_id
    return LoggedIn(
        organization_id=granted.organization_id,
        organization_name=granted.organization_name,
        api_key=shown(granted.key),
    )


def _shown(invitation: Invitation) -> ShownInvitation:
    return ShownInvitation.model_validate(invitation.model_dump(include=set(ShownInvitation.model_fields)))
