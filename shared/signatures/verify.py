"""Whether a call was signed with one of an endpoint's secrets."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.errors import Unauthorized
from shared.signatures.claim import Claim, Scheme, malformed
from shared.signatures.standard import STANDARD, SVIX
from shared.signatures.vendors import GITHUB, SLACK, STRIPE

SCHEMES = (STANDARD, SVIX, STRIPE, GITHUB, SLACK)

TOLERANCE_SECONDS = 300
"""How far a signed time may be from now, either way."""


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret as its owner pasted it, opened for one verification."""

    secret_id: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Match:
    """A call that one of the secrets signed. ``delivery_id`` names the event, where its vendor does."""

    vendor: str
    secret_id: str
    delivery_id: str | None


def is_signed(headers: Mapping[str, str]) -> bool:
    """Return whether a call (headers by lower-cased name) says that it is signed, by whatever vendor."""
    return any(mark in headers for scheme in SCHEMES for mark in scheme.marks)


def verify(
    headers: Iterable[tuple[str, str]], body: bytes, secrets: Sequence[SigningSecret], now: float
) -> Match:
    """Return which secret signed a call; ``now`` is in Unix seconds, ``body`` exactly what arrived.

    Nothing else of the call decides: a signed call is accepted for its signature or refused for it.

    Raises:
        InvalidRequest (``MALFORMED_SIGNATURE``): its headers cannot be read.
        Unauthorized (``INVALID_SIGNATURE``): too old, from the future, or signed with none of the secrets.
    """
    single = _single(headers)
    scheme = next((s for s in SCHEMES if any(mark in single for mark in s.marks)), None)
    if scheme is None:
        raise malformed("it has none")
    claim = scheme.claim(single, body)
    if claim.timestamp is not None and abs(now - claim.timestamp) > TOLERANCE_SECONDS:
        raise _refused("its time is more than five minutes from now")
    if not secrets:
        raise _refused("this workflow has no webhook secret. Add the sender's")
    matched = _matching(scheme, claim, secrets)
    if matched is None:
        raise _refused("none of this workflow's webhook secrets made it, or the body was altered")
    return Match(scheme.vendor, matched, claim.delivery_id)


def _single(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers by lower-cased name.

    Raises:
        InvalidRequest: one that a signature is read from occurs twice, and means two things.
    """
    single: dict[str, str] = {}
    for name, value in headers:
        lowered = name.lower()
        if lowered in single and lowered.startswith(_READ):
            raise malformed(f"the header {lowered} occurs more than once")
        single[lowered] = value
    return single


_READ = ("webhook-", "svix-", "stripe-signature", "x-hub-signature", "x-slack-", "x-github-delivery")


def _matching(scheme: Scheme, claim: Claim, secrets: Sequence[SigningSecret]) -> str | None:
    """Return the secret that made one of the signatures, looking at all of them whichever it is."""
    found: str | None = None
    for secret in secrets:
        for key in scheme.keys(secret.text):
            expected = hmac.digest(key, claim.message, hashlib.sha256)
            for signature in claim.signatures:
                if hmac.compare_digest(expected, signature) and found is None:
                    found = secret.secret_id
    return found


def _refused(reason: str) -> Unauthorized:
    return Unauthorized(f"The signature of this call is not valid: {reason}.", code="INVALID_SIGNATURE")
