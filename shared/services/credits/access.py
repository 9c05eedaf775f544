"""Who may look into an organization's credits, and who may decide about them."""

from __future__ import annotations

from shared.errors import Forbidden
from shared.model.apikey import ApiKey, KeyKind
from shared.model.organization import Role
from shared.services.access import chosen_organization
from shared.services.platform import Platform


async def readable_account(platform: Platform, key: ApiKey, organization_id: str | None) -> str:
    """Return the organization whose credits the caller may see: as owner, admin, or administrator.

    Raises:
        Forbidden: the caller is neither owner nor admin of it.
        NotFound, InvalidRequest: as in :func:`chosen_organization`.
    """
    chosen, role = await chosen_organization(platform, key, organization_id)
    if key.kind is not KeyKind.ADMIN and not (role and role.manages):
        raise Forbidden("Only admins and owners of the organization can see its credits.")
    return chosen


async def governed_account(platform: Platform, key: ApiKey, organization_id: str | None) -> str:
    """Return the organization about whose credits the caller may decide: as owner, or administrator.

    Raises: as :func:`readable_account`.
    """
    chosen, role = await chosen_organization(platform, key, organization_id)
    if key.kind is not KeyKind.ADMIN and role is not Role.OWNER:
        raise Forbidden("Only the owner of the organization can set its credit policy.")
    return chosen
