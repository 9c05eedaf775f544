"""Whose account it is that somebody gave access to, from what a server says along with the tokens. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import orjson

_LONGEST = 200
_PATHS = (
    ("owner", "user", "person", "email"),
    ("team", "name"),
    ("workspace_name",),
    ("associated_user", "email"),
)
"""Where Notion, Slack, again Notion, and Shopify say it."""
_CLAIMS = ("email", "preferred_username", "name")


def account_of(answer: Mapping[str, object]) -> str | None:
    """Return the name or address of the account, if the answer has one.

    An identity token came straight from the server that we asked, so its signature says nothing more
    (OpenID Connect Core §3.1.3.7). It is shown to people; nothing is decided by it.
    """
    claims = _claims(answer.get("id_token"))
    said = [claims.get(name) for name in _CLAIMS] + [_at(answer, path) for path in _PATHS]
    texts = (_printable(text) for text in said if isinstance(text, str))
    return next((text for text in texts if text), None)


def _at(answer: object, path: tuple[str, ...]) -> object:
    for name in path:
        answer = answer.get(name) if isinstance(answer, Mapping) else None
    return answer


def _claims(token: object) -> Mapping[str, object]:
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != 3:
        return {}
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _printable(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST]
