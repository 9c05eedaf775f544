"""Time, identity and randomness: the three things pure code must be given.

Production uses :class:`Sources`; a test that needs a fixed clock subclasses it.
"""

from __future__ import annotations

import secrets
import string
from datetime import UTC, datetime

import uuid_utils

_ALPHABET = string.ascii_letters + string.digits
_SPOKEN = "BCDFGHJKLMNPQRSTVWXZ"


class Sources:
    """Clock, ids and random tokens of one process."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)

    def auto_id(self) -> str:
        """Return 20 random characters ``[A-Za-z0-9]``, the shape of a Firestore auto-id (platform §2)."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(20))

    def uuid7(self) -> str:
        """Return a lower-case, hyphenated UUIDv7: sortable by creation time (platform §2)."""
        return str(uuid_utils.uuid7())

    def digits(self, count: int) -> str:
        """Return random decimal digits."""
        return "".join(secrets.choice(string.digits) for _ in range(count))

    def spoken_code(self) -> str:
        """Return eight random consonants for people to pass on, such as ``BDFG-HJKL`` (RFC 8628 §6.1)."""
        letters = "".join(secrets.choice(_SPOKEN) for _ in range(8))
        return f"{letters[:4]}-{letters[4:]}"

    def hexadecimal(self, size: int) -> str:
        """Return ``size`` random bytes in hex, not all of them zero."""
        while not any(drawn := secrets.token_bytes(size)):
            pass
        return drawn.hex()

    def token(self) -> str:
        """Return 43 url-safe characters carrying 256 random bits."""
        return secrets.token_urlsafe(32)
