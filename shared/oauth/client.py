"""Calls of an authorization server's token and revocation endpoints (RFC 6749, RFC 7009, RFC 7636)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

import httpx
import orjson

from shared import json_text
from shared.n8n.connections import Connections
from shared.oauth.account import account_of
from shared.oauth.errors import GrantRefused, ProviderUnreachable
from shared.outbound.reach import Reach

_TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_MOST_BYTES = 256 * 1024
_LONGEST_LIFE = 400 * 86400
_REASON = re.compile(r"[a-z_]{1,40}")
_REFUSALS = frozenset(
    {
        "invalid_grant",
        "invalid_code",
        "bad_code",
        "code_already_used",
        "code_expired",
        "invalid_refresh_token",
        "token_expired",
        "token_revoked",
        "account_inactive",
    }
)
"""What says that the grant itself is worth nothing: standard (RFC 6749 §5.2), and in Slack's words."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to call, and how the client says who it is. ``token_path`` leads to the tokens of an answer."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    revoke_url: str | None = None
    sends_basic: bool = False
    token_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a server granted. ``expires_in`` is in seconds, ``None`` for ever."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_in: int | None = None
    scope: str | None = None
    account: str | None = None
    """Who agreed, as the server calls them; for people to read."""


class OAuthClient:
    """Speaks to authorization servers within ``reach``; redirects are not followed."""

    def __init__(self, reach: Reach) -> None:
        self._connections = Connections(reach)

    async def exchange(self, server: Server, code: str, verifier: str, redirect_uri: str) -> Tokens:
        """Return the tokens for an authorization code.

        Raises:
            GrantRefused, ProviderUnreachable
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return await self._ask(server, {**form, "code_verifier": verifier})

    async def refresh(self, server: Server, refresh_token: str) -> Tokens:
        """Return new tokens; they hold a refresh token when the old one is not to be used again.

        Raises:
            GrantRefused, ProviderUnreachable
        """
        return await self._ask(server, {"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def revoke(self, server: Server, token: str) -> None:
        """Have the server forget a token, if it offers that.

        Raises:
            ProviderUnreachable: it did not answer that it has.
        """
        if server.revoke_url is not None:
            status, _ = await self._post(server, server.revoke_url, {"token": token})
            if status >= 300:
                raise ProviderUnreachable(f"status {status}")

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()

    async def _ask(self, server: Server, form: Mapping[str, str]) -> Tokens:
        status, body = await self._post(server, server.token_url, form)
        try:
            answer = json_text.loads(body)
        except orjson.JSONDecodeError:
            raise ProviderUnreachable(f"status {status}") from None
        if not isinstance(answer, dict):
            raise ProviderUnreachable(f"status {status}")
        if status >= 300 or "error" in answer:
            raise _refusal(status, answer)
        return _tokens(answer, server.token_path)

    async def _post(self, server: Server, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Return status and body; no message carries anything of what was sent."""
        auth, form = None, dict(form)
        if server.sends_basic:
            # RFC 6749 §2.3.1: both are form-encoded before they are joined.
            auth = httpx.BasicAuth(quote_plus(server.client_id), quote_plus(server.client_secret))
        else:
            form |= {"client_id": server.client_id, "client_secret": server.client_secret}
        headers = {"Accept": "application/json"}
        try:
            pool = self._connections.to(url)
            sending = pool.stream("POST", url, data=form, headers=headers, auth=auth, timeout=_TIMEOUT)
            async with sending as answer:
                return answer.status_code, await _read(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProviderUnreachable(type(error).__name__) from None


async def _read(answer: httpx.Response) -> bytes:
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise ProviderUnreachable("the answer is too large")
    return body


def _refusal(status: int, answer: Mapping[str, object]) -> GrantRefused | ProviderUnreachable:
    said = str(answer.get("error", ""))
    # A server may put anything there, what it was sent included.
    if said in _REFUSALS:
        return GrantRefused(said)
    return ProviderUnreachable(said if _REASON.fullmatch(said) else f"status {status}")


def _tokens(answer: Mapping[str, object], path: tuple[str, ...]) -> Tokens:
    found: object = answer
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict) or "access_token" not in found:
        # Slack nests a granted token, but not a refreshed one.
        found = answer
    access, refresh = found.get("access_token"), found.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise ProviderUnreachable("the answer has no token")
    scope = found.get("scope")
    return Tokens(
        access,
        refresh if isinstance(refresh, str) and refresh else None,
        _seconds(found.get("expires_in")),
        scope if isinstance(scope, str) else None,
        account_of(answer),
    )


def _seconds(value: object) -> int | None:
    text = str(value)
    return min(int(text), _LONGEST_LIFE) if text.isascii() and text.isdecimal() and len(text) < 12 else None
