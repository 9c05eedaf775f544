"""Signing what the platform sends, as Standard Webhooks prescribes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable

from shared.signatures.standard import keys


def signature_header(secrets: Iterable[str], delivery_id: str, timestamp: int, body: bytes) -> str:
    """Return the ``webhook-signature`` of a message: one signature a secret, apart by spaces.

    ``timestamp`` is in seconds since 1970.
    """
    message = f"{delivery_id}.{timestamp}.".encode() + body
    tags = [hmac.digest(key, message, hashlib.sha256) for secret in secrets for key in keys(secret)]
    return " ".join(f"v1,{base64.b64encode(tag).decode()}" for tag in tags)
