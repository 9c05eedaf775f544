"""Authorizing integrations at their providers with OAuth 2 (platform §7, §8; decision 0016)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from pydantic import Field, JsonValue
from starlette.responses import Response

from functions.pages import asking, message, onwards
from shared.errors import (
    Conflict,
    Forbidden,
    Gone,
    InvalidRequest,
    NotFound,
    PlatformError,
    Unauthorized,
    UpstreamError,
)
from shared.http.access import A, O, P, Public, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.integrations import ContextType
from shared.model.scopes import Scope
from shared.services.integrations.oauth.browser import cookie_of, form_token, set_cookie
from shared.services.integrations.oauth.complete import complete
from shared.services.integrations.oauth.consent import agree, question
from shared.services.integrations.oauth.start import LIFETIME, start
from shared.services.integrations.places import Address

_LARGEST_FORM = 16 * 1024


class StartAuthorization(Document):
    """The body of ``startIntegrationAuthorization``; ``memberId`` is by default the key's user.

    ``metadata`` holds what an integration asks for besides, such as ``shopSubdomain``.
    """

    integration_id: str = Field(min_length=1, max_length=100)
    context_type: ContextType
    organization_id: str | None = None
    process_instance_id: str | None = None
    member_id: str | None = None
    metadata: dict[str, JsonValue] = {}


class StartedAuthorization(Document):
    """Where to send the user's browser, and until when they may come back.

    The page there asks for ``confirmationCode``. Give it only to whose account is to be connected.
    """

    authorization_url: str
    confirmation_code: str = Field(repr=False)
    expires_at: Timestamp


class Opened(Document):
    """The query of the address that an authorization begins with."""

    state: str = Field(default="", repr=False)


class Returned(Document):
    """The query a provider sends the user back with."""

    state: str = Field(default="", repr=False)
    code: str = Field(default="", repr=False)
    error: str = ""


class Page(Document):
    """A page for people, in HTML."""


@endpoint(
    "POST",
    "startIntegrationAuthorization",
    access=keys(O, P, A, scopes=(Scope.INTEGRATIONS_MANAGE,)),
    envelope=Envelope.DATA,
    request=StartAuthorization,
    response=StartedAuthorization,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def start_integration_authorization(call: Call[StartAuthorization]) -> StartedAuthorization:
    """Begin to connect an integration that its provider has to be asked for."""
    body = call.body
    address = Address(body.context_type, body.organization_id, body.process_instance_id, body.member_id)
    started = await start(call.platform, call.caller, body.integration_id, address, body.metadata)
    return StartedAuthorization(
        authorization_url=started.url, confirmation_code=started.code, expires_at=started.expires_at
    )


@endpoint(
    "GET",
    "openIntegrationAuthorization",
    access=Public(),
    envelope=Envelope.DATA,
    request=Opened,
    response=Page,
    errors=(InvalidRequest, NotFound, Gone),
    media_type="text/html",
)
async def open_integration_authorization(call: Call[Opened]) -> Response:
    """Ask whoever opens an authorization's address whether they agree; answers a page."""
    state = call.body.state
    try:
        asked = await question(call.platform, state)
    except PlatformError as error:
        return _refusal(call, error)
    # The same browser may be at several authorizations.
    cookie = cookie_of(call.headers.get("cookie", "")) or call.platform.sources.token()
    page = asking(asked, {"state": state, "token": form_token(cookie, state)})
    lifetime = 2 * int(LIFETIME.total_seconds())
    page.headers["Set-Cookie"] = set_cookie(cookie, call.platform.settings.base_url, lifetime)
    return page


@endpoint(
    "POST",
    "confirmIntegrationAuthorization",
    access=Public(),
    envelope=Envelope.DATA,
    response=Page,
    errors=(InvalidRequest, Forbidden, Conflict, Gone, UpstreamError),
    body_limit=_LARGEST_FORM,
    media_type="text/html",
)
async def confirm_integration_authorization(call: Call[None]) -> Response:
    """Agree to an authorization and go on to its provider; takes the form of that page, answers a page.

    The body is a form with ``state``, ``token`` and ``code``. Only a browser that was shown the page can send
    it.
    """
    form = parse_qs(call.raw.decode("utf-8", "replace"))
    state, token, code = (form.get(name, [""])[0] for name in ("state", "token", "code"))
    cookie = cookie_of(call.headers.get("cookie", ""))
    try:
        url = await agree(call.platform, state, cookie, token, code)
    except PlatformError as error:
        return _refusal(call, error)
    return onwards(url)


@endpoint(
    "GET",
    "completeIntegrationAuthorization",
    access=Public(),
    envelope=Envelope.DATA,
    request=Returned,
    response=Page,
    errors=(InvalidRequest, Forbidden, NotFound, Conflict, Gone, UpstreamError),
    changes=True,
    media_type="text/html",
)
async def complete_integration_authorization(call: Call[Returned]) -> Response:
    """Connect an integration when its provider sends the user back; answers a page."""
    body, cookie = call.body, cookie_of(call.headers.get("cookie", ""))
    try:
        done = await complete(call.platform, body.state, body.code, body.error, cookie)
    except PlatformError as error:
        return _refusal(call, error)
    account = f"The account is {done.account}. " if done.account else ""
    return message(200, f"{done.name} is connected", f"{account}You can close this window.")


def _refusal(call: Call[Any], error: PlatformError) -> Response:
    call.notes["code"] = error.code
    return message(error.status, "Not connected", error.message)
