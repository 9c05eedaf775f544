"""Signing up and logging in with a code sent by mail (api §5.29–5.32)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import Field, JsonValue

from functions.granting import KeyWish, LoggedIn, read_key_wish, shown
from shared.errors import Conflict, Forbidden, Gone, Internal, InvalidRequest, NotFound, RateLimited
from shared.http.access import Public
from shared.http.address import network_of
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.model.otp import Purpose
from shared.services.accounts.company import company
from shared.services.accounts.lifecycle import LIFETIME
from shared.services.accounts.login import complete_login
from shared.services.accounts.prove import read_guess
from shared.services.accounts.request import request_code
from shared.services.accounts.signup import complete_signup
from shared.validation.email import email_address

_EMAIL = Field(default=None, json_schema_extra={"type": "string", "format": "email"})
_CODE = Field(default=None, json_schema_extra={"type": "string", "pattern": "^[0-9]{6}$"})


class RequestCode(Document):
    """The body of the two requests for a code."""

    email: JsonValue = _EMAIL


class SentCode(Document):
    """Where a code was sent, and how many seconds it is valid."""

    email: str
    expires_in_seconds: int = int(LIFETIME.total_seconds())


class Company(Document):
    """The organization to create; the default name is "My Organization"."""

    name: str | None = None
    description: str | None = None


class CompleteSignup(Document):
    """The body of ``cliCompleteSignup``."""

    email: JsonValue = _EMAIL
    code: JsonValue = _CODE
    company: Company | None = None
    api_key: KeyWish | None = None


class CompleteLogin(Document):
    """The body of ``cliCompleteLogin``; who belongs to several organizations names one."""

    email: JsonValue = _EMAIL
    code: JsonValue = _CODE
    organization_id: str | None = None
    api_key: KeyWish | None = None


class SignedUp(LoggedIn):
    """The first key of a new organization."""

    is_new_user: bool


@endpoint(
    "POST",
    "cliRequestSignupOtp",
    access=Public(),
    envelope=Envelope.AUTH,
    request=RequestCode,
    response=SentCode,
    errors=(InvalidRequest, Conflict, RateLimited, Internal),
)
async def cli_request_signup_otp(call: Call[RequestCode]) -> SentCode:
    """Mail a code to sign up with."""
    return await _send(call, Purpose.SIGNUP)


@endpoint(
    "POST",
    "cliRequestLoginOtp",
    access=Public(),
    envelope=Envelope.AUTH,
    request=RequestCode,
    response=SentCode,
    errors=(InvalidRequest, NotFound, Conflict, RateLimited, Internal),
)
async def cli_request_login_otp(call: Call[RequestCode]) -> SentCode:
    """Mail a code to log in with."""
    return await _send(call, Purpose.LOGIN)


@endpoint(
    "POST",
    "cliCompleteSignup",
    access=Public(),
    envelope=Envelope.AUTH,
    request=CompleteSignup,
    response=SignedUp,
    errors=(InvalidRequest, NotFound, Conflict, Gone, RateLimited, Internal),
)
async def cli_complete_signup(call: Call[CompleteSignup]) -> SignedUp:
    """Create a user, an organization and its first key with a code that was mailed."""
    body = call.body
    address, guess = email_address(body.email), read_guess(body.code)
    wanted = body.company or Company()
    about, wish = company(wanted.name, wanted.description), read_key_wish(call.platform, body.api_key)
    with _noting_causes(call.notes):
        made = await complete_signup(call.platform, address, guess, about, wish)
    call.notes["organizationId"] = made.organization_id
    return SignedUp(
        organization_id=made.organization_id,
        organization_name=made.organization_name,
        is_new_user=made.is_new_user,
        api_key=shown(made.key),
    )


@endpoint(
    "POST",
    "cliCompleteLogin",
    access=Public(),
    envelope=Envelope.AUTH,
    request=CompleteLogin,
    response=LoggedIn,
    errors=(InvalidRequest, Forbidden, NotFound, Conflict, Gone, RateLimited, Internal),
)
async def cli_complete_login(call: Call[CompleteLogin]) -> LoggedIn:
    """Hand out a new key for a code that was mailed; earlier keys stay valid."""
    body = call.body
    granted = await complete_login(
        call.platform,
        email_address(body.email),
        read_guess(body.code),
        body.organization_id or None,
        read_key_wish(call.platform, body.api_key),
    )
    call.notes["organizationId"] = granted.organization_id
    return LoggedIn(
        organization_id=granted.organization_id,
        organization_name=granted.organization_name,
        api_key=shown(granted.key),
    )


@contextmanager
def _noting_causes(notes: dict[str, object]) -> Iterator[None]:
    """Write into the log line why mail or n8n failed, which the caller is not told."""
    try:
        yield
    except Internal as error:
        if (cause := error.__cause__) is not None:
            notes["cause"] = f"{type(cause).__name__}: {cause}"
        raise


async def _send(call: Call[RequestCode], purpose: Purpose) -> SentCode:
    with _noting_causes(call.notes):
        address = await request_code(call.platform, purpose, call.body.email, network_of(call.address))
    return SentCode(email=address)
