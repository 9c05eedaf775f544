"""The key that signing up, logging in and joining hand out (api §5.30, §5.32)."""

from __future__ import annotations

from pydantic import JsonValue

from shared.model.document import Document, Timestamp
from shared.services.accounts.keyoptions import KeyOptions, key_options
from shared.services.organizations.mint import MintedKey
from shared.services.platform import Platform


class KeyWish(Document):
    """The key to hand out. Without ``expires_in_days`` (1 to 365) it never expires."""

    name: str | None = None
    expires_in_days: JsonValue = None


class GrantedKey(Document):
    """A new key; ``raw`` is shown this once."""

    key_id: str
    raw: str
    key_prefix: str
    name: str
    scopes: list[str]
    created_at: Timestamp
    expires_at: Timestamp | None = None


class LoggedIn(Document):
    """A key for an organization."""

    organization_id: str
    organization_name: str
    api_key: GrantedKey


def read_key_wish(platform: Platform, wish: KeyWish | None) -> KeyOptions:
    """Return what a caller says about the key; ``null`` is no number of days (api §1.2).

    Raises:
        InvalidRequest: as :func:`key_options`.
    """
    given = wish or KeyWish()
    days = (given.expires_in_days,) if "expires_in_days" in given.model_fields_set else ()
    return key_options(platform.sources.now(), given.name, *days)


def shown(minted: MintedKey) -> GrantedKey:
    """Return a new key as it is answered."""
    key = minted.key
    return GrantedKey(
        key_id=key.key_id,
        raw=minted.raw,
        key_prefix=key.key_prefix,
        name=key.name,
        scopes=key.scopes,
        created_at=key.created_at,
        expires_at=key.expires_at,
    )
