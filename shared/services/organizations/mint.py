"""Make API keys; the raw key exists only in the answer (platform §2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.model.apikey import NEVER, ApiKey, ApiKeyAddress, KeyKind
from shared.model.organization import Role
from shared.model.scopes import Scope
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Create
from shared.vault.apikeys import KeyPrefix, digest, mint, shown_prefix


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new key: what to hand out once, and what to store.

    ``records`` is everything to commit: an organization's key is found by its id as well.
    """

    raw: str
    record: Create[ApiKey]

    @property
    def key(self) -> ApiKey:
        """The key as it is stored."""
        return self.record.value

    @property
    def records(self) -> tuple[Create[ApiKey] | Create[ApiKeyAddress], ...]:
        """Every document of the key, to be written in one commit."""
        key = self.key
        if key.kind is not KeyKind.ORGANIZATION or key.organization_id is None:
            return (self.record,)
        address = ApiKeyAddress(organization_id=key.organization_id, digest=digest(self.raw))
        return (self.record, Create(refs.api_key_address(key.key_id), address))

    def __repr__(self) -> str:
        return f"MintedKey({self.record.value.key_prefix}…)"


def mint_key(
    platform: Platform,
    kind: KeyKind,
    *,
    user_id: str,
    name: str,
    scopes: Iterable[Scope] = (),
    organization_id: str | None = None,
    organization_name: str | None = None,
    role: Role | None = None,
    process_instance_id: str | None = None,
    description: str = "",
    expires_at: datetime | None = None,
) -> MintedKey:
    """Return a new key, not stored yet."""
    raw = mint(KeyPrefix(kind.prefix))
    key = ApiKey(
        key_id=platform.sources.auto_id(),
        kind=kind,
        key_prefix=shown_prefix(raw),
        name=name,
        description=description,
        scopes=[scope.value for scope in scopes],
        user_id=user_id,
        organization_id=organization_id,
        organization_name=organization_name,
        role=role,
        process_instance_id=process_instance_id,
        created_at=platform.sources.now(),
        expires_at=expires_at,
        active_until=expires_at or NEVER,
    )
    return MintedKey(raw, Create(refs.api_key(digest(raw)), key))
