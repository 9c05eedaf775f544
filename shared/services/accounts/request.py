"""Ask for a code by mail (api §5.29, §5.31)."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from shared.errors import PlatformError
from shared.model.otp import OneTimeCode, Purpose
from shared.model.user import address_digest
from shared.services.accounts import refusals, windows
from shared.services.accounts.lifecycle import RESEND_AFTER, issued, resend_in
from shared.services.accounts.mails import code_mail
from shared.services.accounts.person import Person, person_with
from shared.services.accounts.tags import tag_of
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.refs import Ref
from shared.store.store import Create, Found, Patch, Write
from shared.validation.email import email_address

DIGITS = 6


async def request_code(platform: Platform, purpose: Purpose, email: object, network: str) -> str:
    """Mail a code to an address; return the address as it is kept. ``network`` is where the request is from.

    Raises:
        InvalidRequest: ``EMAIL_REQUIRED``, ``EMAIL_INVALID``.
        RateLimited: ``IP_RATE_LIMITED``, ``EMAIL_RATE_LIMITED``, ``OTP_RESEND_COOLDOWN``.
        Conflict: ``USER_ALREADY_HAS_ORGANIZATION``, ``USER_HAS_NO_ORGANIZATION``.
        NotFound: ``USER_NOT_FOUND``.
        Internal: ``INTERNAL``, the mail could not be sent; another code can be asked for at once.
    """
    address = email_address(email)
    await windows.charge_network(platform, network)
    ref = refs.one_time_code(address_digest(address), purpose)
    code = platform.sources.digits(DIGITS)
    written = await until_undisturbed(lambda: _issue(platform, purpose, address, ref, code))
    try:
        await platform.mailer.send(code_mail(address, purpose, code))
    except PlatformError as error:
        await _withdraw(platform, ref, written)
        raise refusals.not_mailed() from error
    return address


async def _issue(
    platform: Platform, purpose: Purpose, address: str, ref: Ref[OneTimeCode], code: str
) -> datetime:
    digest = address_digest(address)
    window = windows.of_address(digest)
    found, sent, claim = await platform.store.fetch(ref, window, refs.email_claim(digest))
    require_eligible(purpose, await person_with(platform, address, digest, claim))
    now = platform.sources.now()
    before: OneTimeCode | None = found.value if found else None
    if seconds := resend_in(before, now):
        raise refusals.too_soon(seconds)
    charged = windows.charged_address(platform, window, sent)
    new = issued(before, await tag_of(platform, purpose, address, now, code), now)
    written, *_ = await platform.store.commit(_replacing(ref, found, new), charged)
    return written


def require_eligible(purpose: Purpose, person: Person) -> None:
    """Check that signing up, or logging in, is what this person can do.

    Raises:
        Conflict: ``USER_ALREADY_HAS_ORGANIZATION``, ``USER_HAS_NO_ORGANIZATION``.
        NotFound: ``USER_NOT_FOUND``.
    """
    if purpose is Purpose.SIGNUP:
        if person.organization_ids:
            raise refusals.has_organization()
        return
    if person.user is None:
        raise refusals.no_user()
    if not person.organization_ids:
        raise refusals.no_organization()


def _replacing(ref: Ref[OneTimeCode], found: Found[OneTimeCode] | None, new: OneTimeCode) -> Write:
    if found is None:
        return Create(ref, new)
    fields = {name: getattr(new, name) for name in OneTimeCode.model_fields}
    return Patch(ref, fields, found.update_time)


async def _withdraw(platform: Platform, ref: Ref[OneTimeCode], written: datetime) -> None:
    """End a code that was never mailed, without a pause before the next one."""
    now = platform.sources.now()
    # Somebody who asked again meanwhile has a newer one.
    with suppress(StoreConflict):
        fields = {"expires_at": now, "issued_at": now - RESEND_AFTER}
        await platform.store.commit(Patch(ref, fields, written))
