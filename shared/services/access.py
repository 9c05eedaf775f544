"""Who may use which installation (platform §5). Order: organization, then role, then sharing."""

from __future__ import annotations

import hmac

from shared.errors import Forbidden
from shared.model.apikey import ApiKey, KeyKind
from shared.model.instance import Sharing
from shared.model.organization import Role
from shared.services.platform import Platform
from shared.store import refs


def _refusal() -> Forbidden:
    return Forbidden("This API key has no access to this process instance.")


async def require_instance_access(
    platform: Platform, key: ApiKey, organization_id: str, process_instance_id: str, sharing: Sharing
) -> None:
    """Check that the caller may use an installation.

    Costs a read for personal keys alone: the role of their owner is not on the key.

    Raises:
        Forbidden: another organization, another instance's key, or not shared with the caller.
    """
    if key.kind is KeyKind.ADMIN:
        return
    if key.kind is KeyKind.INSTANCE:
        own = key.process_instance_id or ""
        if not hmac.compare_digest(own.encode(), process_instance_id.encode()):
            raise _refusal()
        return
    role = await role_in(platform, key, organization_id)
    if role is None or not (role.manages or sharing.admits(key.user_id)):
        raise _refusal()


async def role_in(platform: Platform, key: ApiKey, organization_id: str) -> Role | None:
    """Return the role of the key's owner in an organization; ``None`` when the key has no part in it."""
    if key.kind is KeyKind.ORGANIZATION:
        return key.role if key.organization_id == organization_id else None
    member = await platform.store.get(refs.member(organization_id, key.user_id))
    return member.value.role if member else None
