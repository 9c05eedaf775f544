"""What the headers of a signed call claim, whichever vendor's they are."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.errors import InvalidRequest

LONGEST_HEADER = 8 * 1024
"""Characters of a signature header; more is no signature."""

MOST_SIGNATURES = 32
"""Signatures of one call; a sender that rotates its secret sends two."""

Headers = Mapping[str, str]
"""Headers by lower-cased name."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A call that says: these signatures are of ``head`` and the body behind it.

    ``signatures`` are raw HMAC-SHA256 tags. ``timestamp`` is in Unix seconds, ``None`` where the vendor signs
    none. ``delivery_id`` is the same for every delivery of one event, ``None`` where no header names one.
    """

    signatures: tuple[bytes, ...]
    head: bytes
    timestamp: int | None
    delivery_id: str | None


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one vendor signs.

    ``kind`` is the kind of secret it takes. ``marks`` are the headers by whose presence a call is known to be
    signed this way. ``claim`` reads them, ``keys`` turns a secret into HMAC keys; a text that cannot be a
    secret of this kind gives none.
    """

    vendor: str
    kind: str
    marks: tuple[str, ...]
    claim: Callable[[Headers], Claim]
    keys: Callable[[str], tuple[bytes, ...]]


def required(headers: Headers, name: str) -> str:
    """Return a header of a signed call.

    Raises:
        InvalidRequest (``MALFORMED_SIGNATURE``): it is missing, empty or too long.
    """
    value = headers.get(name, "").strip()
    if not value or len(value) > LONGEST_HEADER:
        raise malformed(f"the header {name} is missing or has no usable value")
    return value


def seconds(text: str, name: str) -> int:
    """Return a time stamp in Unix seconds.

    Raises:
        InvalidRequest (``MALFORMED_SIGNATURE``).
    """
    # int() takes signs, spaces, underscores and the digits of every script.
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise malformed(f"{name} holds no time in Unix seconds")
    return int(text)


def as_sent(text: str) -> bytes:
    """Return the bytes of a header, of which servers make text by taking each byte for a character."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def from_base64(text: str) -> bytes | None:
    """Return decoded bytes; ``None`` for what is no base64."""
    try:
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return None


def from_hex(text: str) -> bytes | None:
    """Return decoded bytes; ``None`` for what is no hexadecimal."""
    try:
        return binascii.unhexlify(text.encode("ascii"))
    except (binascii.Error, UnicodeEncodeError):
        return None


def malformed(reason: str) -> InvalidRequest:
    """Return the refusal of a call whose signature cannot be read."""
    return InvalidRequest(
        f"The signature of this call cannot be read: {reason}. Send it as the vendor's documentation says.",
        code="MALFORMED_SIGNATURE",
    )
