"""API keys: minting, recognising and digesting them (platform §2, api §3.1)."""

from __future__ import annotations

import hashlib
import re
import secrets
from enum import StrEnum

_WELL_FORMED = re.compile(r"(ck[opa]?_)[A-Za-z0-9_-]{64}", re.ASCII)
_RANDOM_BYTES = 48
_SHOWN_CHARACTERS = 8


class KeyPrefix(StrEnum):
    """What kind of key this is; the prefix alone says it, never the header it came in."""

    ORGANIZATION = "cko_"
    PERSONAL = "ckp_"
    ADMIN = "cka_"
    INSTANCE = "ck_"


def mint(prefix: KeyPrefix) -> str:
    """Return a new raw key: the prefix and 384 random bits as 64 base64url characters."""
    return prefix + secrets.token_urlsafe(_RANDOM_BYTES)


def digest(key: str) -> str:
    """Return the key's SHA-256 in hex, under which it is stored. 384 random bits need no salt."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def is_well_formed(key: str) -> KeyPrefix | None:
    """Return the kind of a key that could be one of ours, ``None`` for anything else.

    What is refused here costs no database read.
    """
    match = _WELL_FORMED.fullmatch(key)
    return KeyPrefix(match[1]) if match else None


def shown_prefix(key: str) -> str:
    """Return the part of a well-formed key that may be shown: its prefix and eight characters."""
    return key[: key.index("_") + 1 + _SHOWN_CHARACTERS]
