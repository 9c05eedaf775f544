"""A real authorization server (Authlib on Flask): codes, PKCE, rotating refresh tokens, revocation."""

from __future__ import annotations

import html
import os
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.integrations.flask_oauth2 import AuthorizationServer  # type: ignore[import-untyped]  # Authlib has no types
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin, grants  # type: ignore[import-untyped]  # Authlib has no types
from authlib.oauth2.rfc7009 import RevocationEndpoint  # type: ignore[import-untyped]  # Authlib has no types
from authlib.oauth2.rfc7636 import CodeChallenge  # type: ignore[import-untyped]  # Authlib has no types
from flask import Flask, Response, jsonify, request
from werkzeug.serving import BaseWSGIServer, make_server

from tests.support.ports import free_port

CLIENT_ID = "podium-client"
CLIENT_SECRET = "canary-client-secret-55c1"


class _Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    redirect_uri = ""

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str | None) -> str:
        # Slack's users are asked for under another name.
        return scope or "user"

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_post", "client_secret_basic")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")


@dataclass
class _Code(AuthorizationCodeMixin):  # type: ignore[misc]  # Authlib has no types
    code: str
    redirect_uri: str
    scope: str
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass
class Granted(TokenMixin):  # type: ignore[misc]  # Authlib has no types
    """A token that was issued."""

    access_token: str
    refresh_token: str
    scope: str
    expires_in: int
    issued_at: float = field(default_factory=time.time)
    refreshed: bool = False
    revoked: bool = False

    def check_client(self, client: object) -> bool:
        return True

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return self.expires_in

    def is_revoked(self) -> bool:
        return self.revoked

    def is_expired(self) -> bool:
        return time.time() > self.issued_at + self.expires_in


@dataclass
class Authority:
    """The server, what it granted, and how it misbehaves."""

    port: int = field(default_factory=free_port)
    codes: dict[str, _Code] = field(default_factory=dict)
    granted: list[Granted] = field(default_factory=list)
    client: _Client = field(default_factory=_Client)
    token_calls: int = 0
    verifiers: list[str] = field(default_factory=list)
    down: bool = False
    slow_seconds: float = 0
    loses_answers: bool = False
    """Whether it grants and nobody is told."""
    forgives: bool = False
    """Whether it takes a refresh token that was used before."""
    says: dict[str, Any] = field(default_factory=dict)
    """What it says along with every token."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def addresses(self) -> dict[str, str]:
        """What an operator registers it with."""
        names = {"authorizeUrl": "authorize", "tokenUrl": "token", "revokeUrl": "revoke"}
        return {name: f"{self.url}/{path}" for name, path in names.items()}

    def forget(self) -> None:
        """Take everything back that was granted, as a user does in their account."""
        for token in self.granted:
            token.revoked = True

    async def consent(self, authorization_url: str, answer: str = "yes") -> str:
        """Consent, or not, as the user that is sent there; return where the browser goes next."""
        async with httpx.AsyncClient() as browser:
            sent = await browser.post(authorization_url, data={"answer": answer})
        assert sent.status_code == 302, sent.text
        return sent.headers["location"]

    def app(self) -> Flask:
        app = Flask("authority")
        server = AuthorizationServer(app, lambda client_id: self._known(client_id), self._save)
        server.register_token_generator("default", self._generate)
        server.register_grant(_code_grant(self), [CodeChallenge(required=True)])
        server.register_grant(_refresh_grant(self))
        server.register_endpoint(_revocation(self))

        @app.post("/authorize")
        def authorize() -> Any:
            user = "user" if request.form["answer"] == "yes" else None
            grant = server.get_consent_grant(end_user="user")
            return server.create_authorization_response(grant_user=user, grant=grant)

        @app.get("/authorize")
        def ask() -> str:
            return '<form method="post"><button name="answer" value="yes">Allow</button></form>'

        @app.post("/token")
        def token() -> Any:
            self.token_calls += 1
            self.verifiers += request.form.getlist("code_verifier")
            time.sleep(self.slow_seconds)
            if self.down:
                return Response("<h1>Bad gateway</h1>", 502)
            answer = server.create_token_response()
            if self.loses_answers:
                return Response("<h1>Gateway timeout</h1>", 504)
            body = answer.get_json()
            if "slack" in request.args and "access_token" in body:
                return jsonify({"ok": True, "authed_user": body, **self.says})
            return jsonify({**body, **self.says}) if "access_token" in body else answer

        @app.post("/revoke")
        def revoke() -> Any:
            return server.create_endpoint_response("revocation")

        return app

    def _known(self, client_id: str) -> _Client | None:
        return self.client if client_id == CLIENT_ID else None

    def _generate(self, **about: Any) -> dict[str, Any]:
        mark = secrets.token_hex(8)
        tokens = {"access_token": f"canary-access-{mark}", "refresh_token": f"canary-refresh-{mark}"}
        return {**tokens, "token_type": "Bearer", "expires_in": 3600, "scope": about.get("scope") or ""}

    def _save(self, token: dict[str, Any], _: object) -> None:
        names = ("access_token", "refresh_token", "scope", "expires_in")
        self.granted.append(Granted(**{name: token[name] for name in names}))


def _code_grant(authority: Authority) -> type:
    class Grant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post", "client_secret_basic")

        def save_authorization_code(self, code: str, request: Any) -> None:
            data = request.payload.data
            authority.codes[code] = _Code(
                code,
                request.payload.redirect_uri,
                request.payload.scope,
                data.get("code_challenge"),
                data.get("code_challenge_method"),
            )

        def query_authorization_code(self, code: str, client: object) -> _Code | None:
            return authority.codes.get(code)

        def delete_authorization_code(self, authorization_code: _Code) -> None:
            authority.codes.pop(authorization_code.code, None)

        def authenticate_user(self, authorization_code: _Code) -> str:
            return "user"

    return Grant


def _is_spent(authority: Authority, token: Granted) -> bool:
    return token.revoked or (token.refreshed and not authority.forgives)


def _refresh_grant(authority: Authority) -> type:
    class Grant(grants.RefreshTokenGrant):  # type: ignore[misc]  # Authlib has no types
        INCLUDE_NEW_REFRESH_TOKEN = True
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post", "client_secret_basic")

        def authenticate_refresh_token(self, refresh_token: str) -> Granted | None:
            known = (token for token in authority.granted if token.refresh_token == refresh_token)
            return next((token for token in known if not _is_spent(authority, token)), None)

        def authenticate_user(self, credential: Granted) -> str:
            return "user"

        def revoke_old_credential(self, credential: Granted) -> None:
            credential.refreshed = True

    return Grant


def _revocation(authority: Authority) -> type:
    class Endpoint(RevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
        CLIENT_AUTH_METHODS = ("client_secret_post", "client_secret_basic")

        def query_token(self, token: str, token_type_hint: str | None) -> Granted | None:
            known = (
                known for known in authority.granted if token in (known.refresh_token, known.access_token)
            )
            return next(known, None)

        def revoke_token(self, token: Granted, request: object) -> None:
            token.revoked = True

    return Endpoint


@contextmanager
def running_authority() -> Iterator[Authority]:
    """Run an authorization server on a free port."""
    # Authlib refuses http otherwise.
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    authority = Authority()
    server: BaseWSGIServer = make_server("127.0.0.1", authority.port, authority.app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Person:
    """Somebody with a browser: what they see, and where it takes them."""

    browser: httpx.AsyncClient

    async def looks(self, url: str) -> httpx.Response:
        """Open the address that an authorization begins with."""
        return await self.browser.get(url)

    async def agrees(self, url: str, code: str) -> httpx.Response:
        """Open that address, type the code in and press the button."""
        return await self.presses(await self.looks(url), code)

    async def presses(self, page: httpx.Response, code: str) -> httpx.Response:
        """Press the button of a page that is open."""
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
        (action,) = re.findall(r'<form method="post" action="(\w+)">', page.text) or [None]
        assert action is not None, page.text
        return await self.browser.post(page.url.join(action), data={**dict(hidden), "code": code})

    async def authorizes(self, authority: Authority, url: str, code: str, answer: str = "yes") -> str:
        """Agree here and consent, or not, at the provider; return where the browser goes next."""
        return await authority.consent(onwards(await self.agrees(url, code)), answer)

    async def returns(self, back: str) -> httpx.Response:
        """Come back from the provider."""
        return await self.browser.get(back)


def onwards(page: httpx.Response) -> str:
    """Return the address of the provider that a page goes on to."""
    found = re.search(r'content="0;url=([^"]+)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


def query_of(url: str) -> dict[str, str]:
    """Return the parameters of a URL."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
