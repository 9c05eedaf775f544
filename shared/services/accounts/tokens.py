"""The token of an invitation: which one it is, and 256 random bits."""

from __future__ import annotations

import hashlib
import hmac

from shared.model.invitation import Invitation
from shared.services.platform import Platform

_PREFIX = "inv_"
_ID_LENGTH = 20


def new_token(platform: Platform, invitation_id: str) -> str:
    """Return the token of an invitation; whoever holds it can accept."""
    return f"{_PREFIX}{invitation_id}{platform.sources.token()}"


def invitation_of(token: str) -> str | None:
    """Return the id of the invitation a token is for, ``None`` for what cannot be a token."""
    body = token.removeprefix(_PREFIX)
    if not (token.startswith(_PREFIX) and token.isascii() and _ID_LENGTH < len(body) < 100):
        return None
    return body[:_ID_LENGTH]


def digest_of(token: str) -> str:
    """Return the SHA-256 of a token in hex, under which it is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def opens(token: str, invitation: Invitation) -> bool:
    """Return whether a token is the invitation's, in time that does not depend on either."""
    return hmac.compare_digest(digest_of(token), invitation.token_digest)
