"""Standard Webhooks, and Svix, which calls its headers otherwise (platform §14.2, §14.3)."""

from __future__ import annotations

from shared.signatures.claim import (
    MOST_SIGNATURES,
    Claim,
    Headers,
    Scheme,
    as_sent,
    from_base64,
    malformed,
    required,
    seconds,
)

_PREFIX = "whsec_"
_LONGEST_ID = 256


def _scheme(vendor: str, prefix: str) -> Scheme:
    def claim(headers: Headers) -> Claim:
        delivery_id = required(headers, f"{prefix}-id")
        if len(delivery_id) > _LONGEST_ID:
            raise malformed(f"the header {prefix}-id is too long")
        sent = required(headers, f"{prefix}-timestamp")
        timestamp = seconds(sent, f"{prefix}-timestamp")
        listed = required(headers, f"{prefix}-signature").split()[:MOST_SIGNATURES]
        # Other versions are asymmetric signatures, or not invented yet: a sender may list them beside ours.
        ours = (text.removeprefix("v1,") for text in listed if text.startswith("v1,"))
        decoded = tuple(tag for tag in map(from_base64, ours) if tag is not None)
        return Claim(decoded, as_sent(f"{delivery_id}.{sent}."), timestamp, delivery_id)

    return Scheme(vendor, "standard", (f"{prefix}-signature", f"{prefix}-id"), claim, keys)


def keys(secret: str) -> tuple[bytes, ...]:
    """Return the key of a secret: what follows ``whsec_``, decoded."""
    key = from_base64(secret.removeprefix(_PREFIX))
    return (key,) if key else ()


STANDARD = _scheme("standard", "webhook")
SVIX = _scheme("svix", "svix")
