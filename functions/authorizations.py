"""Authorizing integrations at their providers with OAuth 2 (platform §7, §8; decision 0016)."""

from __future__ import annotations

import base64
import hashlib
import html

from pydantic import Field, JsonValue
from starlette.responses import Response

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
from shared.services.integrations.oauth.complete import complete
from shared.services.integrations.oauth.start import start
from shared.services.integrations.places import Address

_STYLE = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}"
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


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
    """Where to send the user's browser, and until when they may come back."""

    authorization_url: str
    expires_at: Timestamp


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
    return StartedAuthorization(authorization_url=started.url, expires_at=started.expires_at)


@endpoint(
    "GET",
    "completeIntegrationAuthorization",
    access=Public(),
    envelope=Envelope.DATA,
    request=Returned,
    response=Page,
    errors=(InvalidRequest, NotFound, Conflict, Gone, UpstreamError),
    changes=True,
    media_type="text/html",
)
async def complete_integration_authorization(call: Call[Returned]) -> Response:
    """Connect an integration when its provider sends the user back; answers a page."""
    body = call.body
    try:
        name = await complete(call.platform, body.state, body.code, body.error)
    except PlatformError as error:
        call.notes["code"] = error.code
        return _page(error.status, "Not connected", error.message)
    return _page(200, f"{name} is connected", "You can close this window.")


def _page(status: int, title: str, text: str) -> Response:
    heading, words = html.escape(title), html.escape(text)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{heading}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{heading}</h1><p>{words}</p></body></html>"
    )
    return Response(page, status, headers=_HEADERS, media_type="text/html")
