"""Who decides to whom an organization's events are told."""

from __future__ import annotations

from shared.model.apikey import ApiKey
from shared.services.access import chosen_organization
from shared.services.organizations.management import require_management
from shared.services.platform import Platform


async def managed_organization(platform: Platform, caller: ApiKey, organization_id: str | None) -> str:
    """Return the organization whose subscriptions the caller may manage.

    Raises:
        Forbidden: a plain member.
        Forbidden, NotFound, InvalidRequest: as :func:`chosen_organization`.
    """
    chosen, role = await chosen_organization(platform, caller, organization_id)
    require_management(caller, role, "manage event subscriptions")
    return chosen
