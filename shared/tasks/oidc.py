"""Who calls a task handler: only the queue, proven by a signed identity token.

The handler's address is public, so the token is the whole protection: its signature, issuer, audience and
service account must all fit. A check costs one RSA verification and no call, however often it fails.
"""

from __future__ import annotations

from dataclasses import dataclass

import jwt

from shared.errors import Unauthorized
from shared.tasks.keys import SigningKeys

ISSUER = "https://accounts.google.com"
CLOCK_SKEW_SECONDS = 30
MAX_TOKEN_CHARACTERS = 8192
_REQUIRED = ["iss", "aud", "exp", "iat", "email", "email_verified"]


@dataclass(frozen=True, slots=True)
class TaskClaims:
    """What a verified token says; times in seconds since 1970."""

    subject: str
    email: str
    audience: str
    issued_at: int
    expires_at: int


class TaskVerifier:
    """Verifies the bearer token of a delivered task."""

    def __init__(self, certs_url: str, audience: str, service_account_email: str) -> None:
        """Take where the signing keys are (JWKS), and whom and what tokens must name."""
        self._keys = SigningKeys(certs_url)
        self._audience = audience
        self._email = service_account_email

    async def verify(self, authorization: str | None) -> TaskClaims:
        """Return the claims of the ``Authorization`` header of a delivered task.

        Raises:
            Unauthorized: no bearer token, or one that is malformed, expired, signed by another key, or
                names another issuer, audience or service account.
            Internal: the signing keys could not be fetched yet.
        """
        token = _bearer(authorization)
        key = await self._keys.get(_key_id(token))
        if key is None:
            raise Unauthorized("The task token is signed by an unknown key.")
        try:
            claims: dict[str, object] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=ISSUER,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": _REQUIRED, "strict_aud": True},
            )
        except jwt.PyJWTError as error:
            raise Unauthorized(f"The task token is refused: {type(error).__name__}.") from None
        if claims["email"] != self._email or claims["email_verified"] is not True:
            raise Unauthorized("The task token names another service account.")
        return TaskClaims(
            subject=str(claims.get("sub", "")),
            email=self._email,
            audience=self._audience,
            issued_at=_seconds(claims["iat"]),
            expires_at=_seconds(claims["exp"]),
        )


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_CHARACTERS:
        raise Unauthorized("A task handler is called with the queue's bearer token.")
    return token


def _seconds(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _key_id(token: str) -> str:
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        raise Unauthorized("The task token is malformed.") from None
    if not isinstance(key_id, str):
        raise Unauthorized("The task token names no key.")
    return key_id
