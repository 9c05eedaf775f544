"""What an organization shows of itself to its members."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from shared.errors import NotFound
from shared.model.apikey import ApiKey
from shared.model.organization import Organization, Role
from shared.services.access import chosen_organization
from shared.services.organizations.members import seats_used
from shared.services.platform import Platform
from shared.store import refs


@dataclass(frozen=True, slots=True)
class Overview:
    """An organization, how many members it has, and the caller's role (``None``: an administrator)."""

    organization_id: str
    organization: Organization
    seats_used: int
    role: Role | None


async def overview(platform: Platform, caller: ApiKey, organization_id: str | None) -> Overview:
    """Return the caller's organization.

    Raises:
        Forbidden, NotFound, InvalidRequest: as in :func:`chosen_organization`.
    """
    organization_id, role = await chosen_organization(platform, caller, organization_id)
    found, used = await asyncio.gather(
        platform.store.get(refs.organization(organization_id)), seats_used(platform, organization_id)
    )
    if found is None:
        raise NotFound(f"Organization {organization_id} not found.", code="ORGANIZATION_NOT_FOUND")
    return Overview(organization_id, found.value, used, role)
