"""Logos: what is taken for a picture (api §5.2)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.errors import InvalidRequest

LARGEST_LOGO = 5 * 1024 * 1024
"""Bytes, decoded."""

MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")

_LONGEST_URL = 2048


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and its media type, which its first bytes tell."""

    content: bytes
    media_type: str


def decoded_logo(encoded: str, declared: str | None) -> Picture:
    """Return the picture in a base64 text.

    Raises:
        InvalidRequest (``INVALID_LOGO``): no base64, more than 5 MiB, no PNG, JPEG or WebP picture, or
            another one than ``declared``.
    """
    if declared is not None and declared not in MEDIA_TYPES:
        raise _refused("logoMimeType", f"logoMimeType must be one of {', '.join(MEDIA_TYPES)}.")
    # Four characters carry three bytes: what cannot fit is not decoded.
    if len(encoded) > (LARGEST_LOGO + 2) // 3 * 4:
        raise _refused("logoBase64", "The logo must have at most 5 MB.")
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise _refused("logoBase64", "logoBase64 must be the picture's bytes in base64.") from None
    if len(content) > LARGEST_LOGO:
        raise _refused("logoBase64", "The logo must have at most 5 MB.")
    media_type = _media_type(content)
    if media_type is None or declared not in (None, media_type):
        raise _refused("logoBase64", f"The logo is no picture of type {declared or ', '.join(MEDIA_TYPES)}.")
    return Picture(content, media_type)


def logo_url(url: str) -> str:
    """Return the address of a logo that is kept elsewhere.

    Raises:
        InvalidRequest (``INVALID_LOGO``): it is no https URL, or longer than 2,048 characters.
    """
    refused = _refused("logoUrl", "logoUrl must be an https URL.")
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise refused from None
    if parts.scheme != "https" or not parts.hostname or len(url) > _LONGEST_URL:
        raise refused
    return url.strip()


def _media_type(content: bytes) -> str | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def _refused(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, code="INVALID_LOGO", field=field)
