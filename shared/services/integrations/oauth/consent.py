"""Agreeing to an authorization before its provider is asked (decision 0016).

Whoever opens the address is told who would get access and who asks for it. They agree with the confirmation
code that only the starter was given, and the browser they agree in is the only one that may come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.errors import Conflict, Forbidden, Gone, InvalidRequest, NotFound
from shared.model.integrations import CATALOGUE, ContextType, OAuthFlow
from shared.services.integrations.oauth.browser import browser_digest, code_digest, form_token, same
from shared.services.integrations.oauth.request import provider_url
from shared.services.integrations.oauth.start import state_digest
from shared.services.platform import Platform
from shared.services.secrets import oauth_verifier, open_text
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch

TRIES = 5
"""Wrong codes after which an authorization is over."""


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody is asked to agree to. ``member`` is whose processes get access, ``None``: everybody's."""

    integration: str
    organization: str
    starter: str
    member: str | None
    expires_at: datetime


def other_browser() -> Forbidden:
    """Return the refusal of a browser in which nobody agreed."""
    return Forbidden(
        "Nobody agreed to this authorization in this browser. Open the address it began with in the browser "
        "you want to use, or start again.",
        code="OAUTH_OTHER_BROWSER",
    )


async def open_flow(platform: Platform, state: str) -> Found[OAuthFlow]:
    """Return an authorization that may still be completed.

    Raises:
        InvalidRequest: the state is unknown.
        Gone: it expired, was used, or too many codes were tried.
    """
    found = await platform.store.get(refs.oauth_flow(state_digest(state)))
    if found is None:
        raise InvalidRequest("This authorization is not known here. Start again.", code="OAUTH_STATE_UNKNOWN")
    flow = found.value
    if flow.used_at is not None or flow.verifier is None:
        raise Gone("This authorization was used before. Start again.", code="OAUTH_STATE_USED")
    if flow.wrong_codes >= TRIES:
        raise Gone("Too many wrong codes. Start again.", code="OAUTH_TOO_MANY_CODES")
    if platform.sources.now() >= flow.expires_at:
        raise Gone(
            "This authorization took longer than ten minutes. Start again.", code="OAUTH_STATE_EXPIRED"
        )
    return found


async def question(platform: Platform, state: str) -> Question:
    """Return what to ask. Changes nothing: whoever looks at an address has not agreed.

    Raises:
        InvalidRequest, Gone: as :func:`open_flow`.
        NotFound: the organization is gone.
    """
    flow = (await open_flow(platform, state)).value
    own = flow.context_type is ContextType.MEMBER
    people = [refs.user(flow.user_id), *([refs.user(flow.owner)] if own else [])]
    organization, *users = await platform.store.fetch(refs.organization(flow.organization_id), *people)
    if organization is None:
        raise NotFound("The organization does not exist any more.", code="ORGANIZATION_NOT_FOUND")
    names = [_named(user.value.display_name, user.value.email) if user else "somebody" for user in users]
    return Question(
        integration=CATALOGUE[flow.integration_id].name,
        organization=organization.value.name,
        starter=names[0],
        member=names[1] if own else None,
        expires_at=flow.expires_at,
    )


def _named(name: str, email: str | None) -> str:
    return f"{name} ({email})" if name and email else name or email or "somebody"


async def agree(platform: Platform, state: str, cookie: str | None, token: str, code: str) -> str:
    """Bind an authorization to the browser that has the cookie; return the provider's address.

    The same browser may agree again, for whoever pressed *back*.

    Raises:
        InvalidRequest, Gone: as :func:`open_flow`; the code is wrong.
        Forbidden: not sent from our page in this browser; or another browser agreed.
        Conflict: somebody else answered at the same time.
    """
    if cookie is None or not same(form_token(cookie, state), token):
        raise other_browser()
    found = await open_flow(platform, state)
    flow = found.value
    if not same(flow.code_digest, code_digest(code, state)):
        await _count_wrong(platform, found)
    browser = browser_digest(cookie, state)
    if flow.browser is not None and not same(flow.browser, browser):
        raise other_browser()
    try:
        await platform.store.commit(Patch(found.ref, {"browser": browser}, found.update_time))
    except Changed:
        raise Conflict("Somebody else answered at the same time. Open the address again.") from None
    place = oauth_verifier(flow.organization_id, state_digest(state))
    verifier = await open_text(platform, flow.verifier or "", place)
    return await provider_url(platform, flow, state, verifier)


async def _count_wrong(platform: Platform, found: Found[OAuthFlow]) -> None:
    """Use up one of the tries before it is said that it was wrong, and raise."""
    wrong = found.value.wrong_codes + 1
    try:
        await platform.store.commit(Patch(found.ref, {"wrong_codes": wrong}, found.update_time))
    except Changed:
        raise Conflict("Somebody else answered at the same time. Open the address again.") from None
    if wrong >= TRIES:
        raise Gone("Too many wrong codes. Start again.", code="OAUTH_TOO_MANY_CODES")
    raise InvalidRequest(
        "That is not the confirmation code. Whoever sent you this address was given it, and can tell you.",
        code="OAUTH_WRONG_CODE",
    )
