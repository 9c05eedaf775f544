"""Make API keys; the raw key exists only in the answer (platform §2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.model.apikey import ApiKey, KeyKind
from shared.model.organization import Role
from shared.model.scopes import Scope
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Create
from shared.vault.apikeys import KeyPrefix, digest, mint, shown_prefix


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new key: what to hand out once, and what to store."""

    raw: str
    record: Create[ApiKey]

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
) -> MintedKey:
    """Return a new key, not stored yet."""
    raw = mint(KeyPrefix(kind.prefix))
    key = ApiKey(
        key_id=platform.sources.auto_id(),
        kind=kind,
        key_prefix=shown_prefix(raw),
        name=name,
        scopes=[scope.value for scope in scopes],
        user_id=user_id,
        organization_id=organization_id,
        organization_name=organization_name,
        role=role,
        process_instance_id=process_instance_id,
        created_at=platform.sources.now(),
    )
    return MintedKey(raw, Create(refs.api_key(digest(raw)), key))
