"""Give out a key of an organization at the request of a caller (api §5.3)."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import NotFound
from shared.model.apikey import ApiKey
from shared.model.organization import Role
from shared.services.access import chosen_organization
from shared.services.apikeys import rules
from shared.services.apikeys.create import create_organization_key
from shared.services.organizations.management import require_management
from shared.services.organizations.mint import MintedKey
from shared.services.platform import Platform
from shared.store import refs


async def grant_key(
    platform: Platform,
    caller: ApiKey,
    *,
    organization_id: str,
    name: str,
    scopes: Sequence[str],
    description: str,
    expires_in_days: object,
) -> MintedKey:
    """Create a key that belongs to the caller's user; an administrator's acts with the role of an admin.

    Raises:
        Forbidden: not a manager of that organization, or the scopes exceed the caller's own.
        NotFound (``ORGANIZATION_NOT_FOUND``): there is none with that id.
        InvalidRequest, RateLimited: as in :func:`create_organization_key`.
    """
    organization_id, role = await chosen_organization(platform, caller, organization_id, must_name=True)
    require_management(caller, role, "create API keys")
    rules.require_held(caller, rules.granted_scopes(scopes))
    return await create_organization_key(
        platform,
        organization_id=organization_id,
        organization_name=caller.organization_name or await _name_of(platform, organization_id),
        user_id=caller.user_id,
        role=role or Role.ADMIN,
        name=name,
        scopes=scopes,
        description=description,
        expires_in_days=expires_in_days,
        actor=caller,
    )


async def _name_of(platform: Platform, organization_id: str) -> str:
    found = await platform.store.get(refs.organization(organization_id))
    if found is None:
        raise NotFound(f"Organization {organization_id} not found.", code="ORGANIZATION_NOT_FOUND")
    return found.value.name
