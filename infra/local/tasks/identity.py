"""The identity behind delivered tasks: an RSA key on disk, OIDC tokens, and the public keys as JWKS."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64encode
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from infra.local.tasks.times import SECOND, Clock

ISSUER = "https://accounts.google.com"
LIFETIME_SECONDS = 3600
# A token is minted once and used for a while: signing costs more than the rest of a delivery's headers.
REUSE_SECONDS = 600
CACHED_TOKENS = 256

Jwks = dict[str, list[dict[str, str]]]


class Identity:
    """Mints the tokens; one per service account and audience."""

    def __init__(self, key: rsa.RSAPrivateKey, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self._public = _public_jwk(key)
        self._tokens: dict[tuple[str, str], tuple[int, str]] = {}

    @classmethod
    def load(cls, path: Path, clock: Clock) -> Identity:
        """Return the identity whose key is in the file; a new key is written there (0600) the first time."""
        if not path.exists():
            _write_key(path)
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{path.name} holds no RSA private key")
        return cls(key, clock)

    def jwks(self) -> Jwks:
        """Return the public keys as a JSON Web Key Set."""
        return {"keys": [self._public]}

    def token(self, email: str, audience: str) -> str:
        """Return an RS256 identity token, valid for at least 50 minutes."""
        now = self._clock() // SECOND
        minted, token = self._tokens.get((email, audience), (0, ""))
        if not 0 <= now - minted < REUSE_SECONDS:
            token = self._mint(email, audience, now)
            if len(self._tokens) >= CACHED_TOKENS:
                self._tokens.clear()
            self._tokens[email, audience] = (now, token)
        return token

    def _mint(self, email: str, audience: str, now: int) -> str:
        subject = str(int.from_bytes(hashlib.sha256(email.encode()).digest()[:8], "big"))
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "azp": subject,
            "sub": subject,
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._public["kid"]})


def _write_key(path: Path) -> None:
    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    # Written aside and moved into place: a process killed here leaves no half key behind.
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(descriptor)
    draft.rename(path)


def _public_jwk(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    members = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
    # The key id is the RFC 7638 thumbprint: members sorted, no white space.
    thumbprint = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    return {**members, "alg": "RS256", "use": "sig", "kid": _text(thumbprint)}


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
