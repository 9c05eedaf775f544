"""API keys: four kinds, told apart by their prefix alone (platform §2)."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from shared.model.document import Document
from shared.model.organization import Role
from shared.model.scopes import Scope


class KeyKind(StrEnum):
    """The kind of a key; the value is its name on the wire."""

    ORGANIZATION = "org-api-key"
    PERSONAL = "personal-api-key"
    ADMIN = "admin-api-key"
    INSTANCE = "instance-api-key"

    @property
    def prefix(self) -> str:
        """The text every key of this kind starts with."""
        return _PREFIXES[self]


_PREFIXES = {
    KeyKind.ORGANIZATION: "cko_",
    KeyKind.PERSONAL: "ckp_",
    KeyKind.ADMIN: "cka_",
    KeyKind.INSTANCE: "ck_",
}


MAX_ACTIVE_KEYS = 20
"""Active keys an organization may have; instance keys do not count (platform §2)."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When a key ends that never expires."""


class ApiKey(Document):
    """A key at rest: its document id is the SHA-256 of the key, which is stored nowhere.

    The owner's role is copied here so that one read authenticates and authorises; whoever changes
    a role rewrites that member's keys.
    """

    key_id: str
    kind: KeyKind
    key_prefix: str
    name: str
    description: str = ""
    scopes: list[str]
    user_id: str
    organization_id: str | None = None
    organization_name: str | None = None
    process_instance_id: str | None = None
    role: Role | None = None
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    updated_at: datetime | None = None
    active_until: datetime = NEVER
    """When it expires or was revoked, whichever is first: what active keys are counted by."""

    def is_usable(self, now: datetime) -> bool:
        """Return whether the key authenticates at ``now``."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def status(self, now: datetime) -> str:
        """Return ``active``, ``revoked`` or ``expired``."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if self.is_usable(now) else "expired"

    def holds(self, scope: Scope) -> bool:
        """Return whether the key holds ``scope``."""
        return scope.value in self.scopes


class ApiKeyAddress(Document):
    """Where the organization key with an id is: a key's own document is found by its digest alone."""

    organization_id: str
    digest: str
