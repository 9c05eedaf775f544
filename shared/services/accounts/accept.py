"""Accept an invitation: the token in the mail proves the address, and opens the organization once."""

from __future__ import annotations

from shared.errors import Conflict, Gone, NotFound, PlatformError, RateLimited
from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction
from shared.model.invitation import Invitation, InvitationStatus
from shared.model.organization import Organization, Role
from shared.model.scopes import ORGANIZATION_SCOPES, Scope
from shared.model.turn import TurnOf
from shared.model.user import address_digest
from shared.services.accounts import refusals
from shared.services.accounts.keyoptions import KeyOptions
from shared.services.accounts.login import Granted
from shared.services.accounts.person import new_user_id, person_with
from shared.services.accounts.tokens import invitation_of, opens
from shared.services.apikeys.create import require_room
from shared.services.audit import audited
from shared.services.organizations.members import membership, seats_left
from shared.services.organizations.mint import MintedKey, mint_key
from shared.services.organizations.turns import take, until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found, Patch, Write

MEMBER_SCOPES = tuple(scope for scope in ORGANIZATION_SCOPES if scope is not Scope.API_KEYS_MANAGE)
"""What a plain member's key holds: nothing that only admins and owners may do."""

_ASK_AGAIN = "Ask the person who invited you for a new invitation."


async def accept(platform: Platform, token: str, options: KeyOptions) -> Granted:
    """Make the invited address a member and return a key that fits the role; all of it or nothing.

    Raises:
        NotFound (``INVITATION_NOT_FOUND``): no invitation has this token.
        Gone: ``INVITATION_EXPIRED``, ``INVITATION_REVOKED``.
        Conflict: ``INVITATION_ALREADY_ACCEPTED``, ``ALREADY_A_MEMBER``, ``SEATS_EXHAUSTED``.
        RateLimited (``MAX_API_KEYS_REACHED``): the organization has no room for a key.
    """
    return await until_undisturbed(lambda: _accept(platform, token, options))


async def _accept(platform: Platform, token: str, options: KeyOptions) -> Granted:
    found = await _opened(platform, token)
    invitation, digest = found.value, address_digest(found.value.email)
    organization_id = invitation.organization_id
    members, keys = refs.turn(organization_id, TurnOf.MEMBERS), refs.turn(organization_id, TurnOf.API_KEYS)
    claim, organization, members_taken, keys_taken = await platform.store.fetch(
        refs.email_claim(digest), refs.organization(organization_id), members, keys
    )
    if organization is None:
        raise _unknown()
    person = await person_with(platform, invitation.email, digest, claim)
    user_id = claim.value.user_id if claim else new_user_id(platform)
    joining = await membership(platform, organization_id, user_id, invitation.role)
    if await platform.store.get(joining.ref) is not None:
        raise _member_already()
    await _require_space(platform, organization_id)
    key = _key(platform, user_id, invitation, organization.value, options)
    now = platform.sources.now()
    accepted = {"status": InvitationStatus.ACCEPTED.value, "accepted_at": now, "accepted_by": user_id}
    await platform.store.commit(
        Patch(found.ref, accepted, found.update_time),
        joining,
        *person.joining(platform, user_id, organization_id),
        *key.records,
        take(members, members_taken, now),
        take(keys, keys_taken, now),
        _entry(platform, user_id, invitation, key),
    )
    return Granted(organization_id, organization.value.name, key)


async def _opened(platform: Platform, token: str) -> Found[Invitation]:
    invitation_id = invitation_of(token)
    found = await platform.store.get(refs.invitation(invitation_id)) if invitation_id else None
    if found is None or not opens(token, found.value):
        raise _unknown()
    invitation = found.value
    if invitation.status is InvitationStatus.ACCEPTED:
        raise Conflict(
            "This invitation was accepted already.",
            code="INVITATION_ALREADY_ACCEPTED",
            next_action="Log in instead: codika auth login-request --email <your address>",
        )
    if invitation.status is InvitationStatus.REVOKED:
        message = "This invitation was taken back."
        raise Gone(message, code="INVITATION_REVOKED", next_action=_ASK_AGAIN)
    if platform.sources.now() >= invitation.expires_at:
        message = "This invitation has expired: it was valid for seven days."
        raise Gone(message, code="INVITATION_EXPIRED", next_action=_ASK_AGAIN)
    return found


async def _require_space(platform: Platform, organization_id: str) -> None:
    if await seats_left(platform, organization_id) < 1:
        raise Conflict(
            "The organization has no seat left.",
            code="SEATS_EXHAUSTED",
            next_action="Ask the person who invited you to make room, then accept again: it stays valid.",
        )
    try:
        await require_room(platform, organization_id)
    except RateLimited as error:
        raise refusals.no_room_for_a_key(error.message) from None


def _key(
    platform: Platform,
    user_id: str,
    invitation: Invitation,
    organization: Organization,
    options: KeyOptions,
) -> MintedKey:
    role: Role = invitation.role
    return mint_key(
        platform,
        KeyKind.ORGANIZATION,
        user_id=user_id,
        name=options.name,
        scopes=ORGANIZATION_SCOPES if role.manages else MEMBER_SCOPES,
        organization_id=invitation.organization_id,
        organization_name=organization.name,
        role=role,
        expires_at=options.ends(platform.sources.now()),
    )


def _entry(platform: Platform, user_id: str, invitation: Invitation, key: MintedKey) -> Write:
    return audited(
        platform,
        user_id,
        AuditAction.INVITATION_ACCEPTED,
        invitation.organization_id,
        invitation.invitation_id,
        role=invitation.role.value,
        key_prefix=key.key.key_prefix,
    )


def _unknown() -> PlatformError:
    return NotFound("No invitation has this token.", code="INVITATION_NOT_FOUND", next_action=_ASK_AGAIN)


def _member_already() -> PlatformError:
    return Conflict(
        "You are a member of this organization already.",
        code="ALREADY_A_MEMBER",
        next_action="Log in instead: codika auth login-request --email <your address>",
    )
