"""Users: who owns keys and is a member of organizations (platform §3)."""

from __future__ import annotations

import hashlib
from datetime import datetime

from shared.model.document import Document

MAX_ORGANIZATIONS = 50
"""Organizations a user may have created (platform §17)."""


class User(Document):
    """A person. ``organization_ids`` are the organizations the user is a member of, oldest first."""

    user_id: str
    email: str | None = None
    display_name: str = ""
    created_at: datetime
    organization_ids: list[str] = []


class EmailClaim(Document):
    """Makes an address belong to one user; its document id is the digest of the normalised address."""

    user_id: str


def normalized(address: str) -> str:
    """Return an e-mail address as it is compared: trimmed, in lower case."""
    return address.strip().lower()


def address_digest(address: str) -> str:
    """Return the SHA-256 in hex of the normalised address: the id of its :class:`EmailClaim`."""
    return hashlib.sha256(normalized(address).encode()).hexdigest()
