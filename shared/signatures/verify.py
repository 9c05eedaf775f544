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

_READ = ("webhook-", "svix-", "stripe-signature", "x-hub-signature", "x-slack-", "x-github-")


_NOBODYS: list[tuple[str | None, bytes]] = [(None, bytes(32))]
"""Compared where there is no secret: it takes as long, and opens nothing whatever is signed with it."""


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret as its owner pasted it, opened for one verification.

    ``kind`` is whose it is: ``standard`` (Svix included), ``stripe``, ``github`` or ``slack``. It counts for
    that one alone: what one vendor signed could else be passed off as another's, without a time.
    """

    secret_id: str
    kind: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Match:
    """A call that one of the secrets signed. ``delivery_id`` names the event, where a header does."""

    vendor: str
    secret_id: str
    delivery_id: str | None


@dataclass(frozen=True, slots=True)
class Signature:
    """A call's signature, readable and of now. Whether a secret made it is still to be seen."""

    scheme: Scheme
    claim: Claim = field(repr=False)

    @property
    def kind(self) -> str:
        """The kind of the secrets that can have made it."""
        return self.scheme.kind

    def match(self, body: bytes, secrets: Sequence[SigningSecret]) -> Match:
        """Return which secret made it; ``body`` is exactly what arrived.

        A body without any secret costs as much as one with a wrong secret.

        Raises:
            Unauthorized (``INVALID_SIGNATURE``): none of them did.
        """
        keys: list[tuple[str | None, bytes]] = [
            (secret.secret_id, key)
            for secret in secrets
            if secret.kind == self.kind
            for key in self.scheme.keys(secret.text)
        ]
        found: str | None = None
        for secret_id, key in keys or _NOBODYS:
            tag = hmac.new(key, self.claim.head, hashlib.sha256)
            tag.update(body)
            expected = tag.digest()
            for signature in self.claim.signatures:
                # All are compared, whichever it is.
                if hmac.compare_digest(expected, signature) and found is None:
                    found = secret_id
        if found is None:
            raise _refused("no webhook secret of this workflow made it, or the body was altered")
        return Match(self.scheme.vendor, found, self.claim.delivery_id)


def is_signed(headers: Mapping[str, str]) -> bool:
    """Return whether a call (headers by lower-cased name) says that it is signed, by whatever vendor."""
    return any(mark in headers for scheme in SCHEMES for mark in scheme.marks)


def read_signature(headers: Iterable[tuple[str, str]], now: float) -> Signature:
    """Return the signature of a call; ``now`` is in Unix seconds. Needs neither body nor secrets.

    Raises:
        InvalidRequest (``MALFORMED_SIGNATURE``): its headers cannot be read.
        Unauthorized (``INVALID_SIGNATURE``): it is too old, or from the future.
    """
    single = _single(headers)
    scheme = next((s for s in SCHEMES if any(mark in single for mark in s.marks)), None)
    if scheme is None:
        raise malformed("it has none")
    claim = scheme.claim(single)
    if claim.timestamp is not None and abs(now - claim.timestamp) > TOLERANCE_SECONDS:
        raise _refused("its time is more than five minutes from now")
    return Signature(scheme, claim)


def verify(
    headers: Iterable[tuple[str, str]], body: bytes, secrets: Sequence[SigningSecret], now: float
) -> Match:
    """Return which secret signed a call.

    Nothing else of the call decides: a signed call is accepted for its signature or refused for it.

    Raises:
        InvalidRequest, Unauthorized: as in :func:`read_signature` and :meth:`Signature.match`.
    """
    return read_signature(headers, now).match(body, secrets)


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


def _refused(reason: str) -> Unauthorized:
    return Unauthorized(f"The signature of this call is not valid: {reason}.", code="INVALID_SIGNATURE")
