"""Which organization keys there are."""

from __future__ import annotations

from datetime import datetime

from shared.model.apikey import ApiKey, KeyKind
from shared.store.query import Query, owned_by


def organization_keys(organization_id: str) -> Query[ApiKey]:
    """Return the query of an organization's own keys: those of its installations are none of them."""
    every = owned_by("apiKeys", ApiKey, "organization_id", organization_id)
    return every.where("kind", "==", KeyKind.ORGANIZATION.value)


def active_keys(organization_id: str, now: datetime) -> Query[ApiKey]:
    """Return the query of the keys that are neither revoked nor expired."""
    return organization_keys(organization_id).where("active_until", ">", now)


def active_keys_of(organization_id: str, user_id: str, now: datetime) -> Query[ApiKey]:
    """Return the query of a member's keys that are neither revoked nor expired."""
    return organization_keys(organization_id).where("user_id", "==", user_id).where("active_until", ">", now)
