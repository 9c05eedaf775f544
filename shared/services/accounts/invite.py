"""Invite somebody by mail, look at the invitations that are open, take one back."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.errors import Conflict, Forbidden, NotFound
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.invitation import Invitation, InvitationStatus
from shared.model.organization import Organization, Role
from shared.model.user import address_digest
from shared.services.access import chosen_organization
from shared.services.accounts import windows
from shared.services.accounts.mails import invitation_mail
from shared.services.accounts.tokens import digest_of, new_token
from shared.services.audit import audited
from shared.services.organizations.members import seats_left
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import Query, find, owned_by
from shared.store.store import Create, Found, Patch, Write
from shared.validation.email import email_address

LIFETIME = timedelta(days=7)
REMEMBERED = timedelta(days=30)
MOST_LISTED = 200


async def invite(
    platform: Platform, caller: ApiKey, *, email: object, role: Role, organization_id: str | None
) -> Invitation:
    """Mail an invitation; one that the same address has already is replaced.

    Raises:
        InvalidRequest: ``EMAIL_REQUIRED``, ``EMAIL_INVALID``.
        Forbidden: not a manager of the organization, or a new owner invited by somebody who is none.
        NotFound (``ORGANIZATION_NOT_FOUND``): there is none with that id.
        Conflict: ``ALREADY_A_MEMBER``; ``SEATS_EXHAUSTED``, members and open invitations fill the plan.
        RateLimited (``EMAIL_RATE_LIMITED``): the address was sent twenty mails in the last hour.
        Internal (``MAIL_NOT_SENT``): nobody took the mail; the invitation was taken back.
    """
    organization_id, own_role = await _managed(platform, caller, organization_id)
    if role is Role.OWNER and own_role not in (None, Role.OWNER):
        raise Forbidden("Only owners of the organization can invite another owner.")
    address = email_address(email)
    organization = await platform.store.get(refs.organization(organization_id))
    if organization is None:
        raise NotFound(f"Organization {organization_id} not found.", code="ORGANIZATION_NOT_FOUND")
    invitation_id = platform.sources.auto_id()
    token = new_token(platform, invitation_id)
    now = platform.sources.now()
    invitation = Invitation(
        invitation_id=invitation_id,
        organization_id=organization_id,
        email=address,
        role=role,
        invited_by=caller.user_id,
        created_at=now,
        expires_at=now + LIFETIME,
        token_digest=digest_of(token),
        expire_at=now + LIFETIME + REMEMBERED,
    )
    await until_undisturbed(lambda: _store(platform, caller, invitation))
    await _mail(platform, caller, invitation, organization.value, token)
    return invitation


async def open_invitations(
    platform: Platform, caller: ApiKey, organization_id: str | None
) -> list[Invitation]:
    """Return the invitations that can still be accepted, newest first.

    Raises:
        Forbidden, NotFound: as :func:`invite`.
    """
    organization_id, _ = await _managed(platform, caller, organization_id)
    now = platform.sources.now()
    return [found.value for found in await find(platform.store, _open(organization_id, now))]


async def revoke(platform: Platform, caller: ApiKey, invitation_id: str) -> Invitation:
    """Take an invitation back; one that was taken back already stays so.

    Raises:
        NotFound (``INVITATION_NOT_FOUND``): there is none with that id in the caller's organizations.
        Forbidden: not a manager of its organization.
        Conflict (``INVITATION_ALREADY_ACCEPTED``): the person has joined.
    """

    async def attempt() -> Invitation:
        found = await platform.store.get(refs.invitation(invitation_id))
        if found is None:
            raise NotFound(f"Invitation {invitation_id} not found.", code="INVITATION_NOT_FOUND")
        invitation: Invitation = found.value
        await _managed(platform, caller, invitation.organization_id)
        if invitation.status is InvitationStatus.ACCEPTED:
            raise Conflict(
                "The invitation was accepted already. Remove the member instead.",
                code="INVITATION_ALREADY_ACCEPTED",
            )
        if invitation.status is InvitationStatus.PENDING:
            await platform.store.commit(*_revoked(platform, caller, found))
        return invitation.model_copy(update={"status": InvitationStatus.REVOKED})

    return await until_undisturbed(attempt)


async def _managed(platform: Platform, caller: ApiKey, wanted: str | None) -> tuple[str, Role | None]:
    organization_id, role = await chosen_organization(platform, caller, wanted)
    if role is not None and not role.manages:
        raise Forbidden("Only admins and owners can invite people.")
    return organization_id, role


async def _store(platform: Platform, caller: ApiKey, invitation: Invitation) -> None:
    organization_id, digest = invitation.organization_id, address_digest(invitation.email)
    window = windows.of_address(digest)
    sent, claim = await platform.store.fetch(window, refs.email_claim(digest))
    if claim and await platform.store.get(refs.member(organization_id, claim.value.user_id)):
        raise Conflict(f"{invitation.email} is a member already.", code="ALREADY_A_MEMBER")
    pending = await find(platform.store, _open(organization_id, platform.sources.now()))
    replaced = [found for found in pending if found.value.email == invitation.email]
    if await seats_left(platform, organization_id) <= len(pending) - len(replaced):
        raise Conflict(
            "Members and open invitations fill every seat. "
            "Revoke an invitation, remove a member or choose a larger plan.",
            code="SEATS_EXHAUSTED",
        )
    ended = (write for found in replaced for write in _revoked(platform, caller, found))
    await platform.store.commit(
        Create(refs.invitation(invitation.invitation_id), invitation),
        windows.charged_address(platform, window, sent),
        audited(
            platform,
            caller,
            AuditAction.INVITATION_CREATED,
            organization_id,
            invitation.invitation_id,
            email=invitation.email,
            role=invitation.role.value,
        ),
        *ended,
    )


def _open(organization_id: str, now: datetime) -> Query[Invitation]:
    every = owned_by("invitations", Invitation, "organization_id", organization_id)
    pending = every.where("status", "==", InvitationStatus.PENDING.value).where("expires_at", ">", now)
    return pending.newest_first("expires_at").at_most(MOST_LISTED)


def _revoked(platform: Platform, caller: ApiKey, found: Found[Invitation]) -> tuple[Write, Write]:
    invitation = found.value
    fields = {"status": InvitationStatus.REVOKED.value, "revoked_at": platform.sources.now()}
    action, target = AuditAction.INVITATION_REVOKED, invitation.invitation_id
    return (
        Patch(found.ref, fields, found.update_time),
        audited(platform, caller, action, invitation.organization_id, target, email=invitation.email),
    )


async def _mail(
    platform: Platform, caller: ApiKey, invitation: Invitation, organization: Organization, token: str
) -> None:
    inviter = await platform.store.get(refs.user(caller.user_id))
    mail = invitation_mail(
        invitation.email,
        organization_name=organization.name,
        inviter=(inviter and (inviter.value.display_name or inviter.value.email)) or "Somebody",
        role=invitation.role,
        token=token,
        base_url=platform.settings.base_url,
        days=LIFETIME.days,
    )
    try:
        await platform.mailer.send(mail)
    except Exception:
        await revoke(platform, caller, invitation.invitation_id)
        raise
