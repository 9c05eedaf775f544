"""End a key of an organization before its time."""

from __future__ import annotations

from datetime import datetime

from shared.errors import Forbidden
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.services.apikeys.find import key_by_id
from shared.services.audit import audited
from shared.services.organizations.management import manages
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store.store import Found, Patch


async def revoke_key(platform: Platform, caller: ApiKey, key_id: str) -> datetime:
    """Revoke a key of one's own, or as a manager any of the organization; return when it was revoked.

    A key that was revoked before stays as it is.

    Raises:
        NotFound (``API_KEY_NOT_FOUND``): no organization key has that id.
        Forbidden: another organization's key, or a plain member's try on somebody else's.
    """

    async def attempt() -> datetime:
        found, role = await key_by_id(platform, caller, key_id)
        key = found.value
        if not (manages(caller, role) or key.user_id == caller.user_id):
            raise Forbidden("Only admins and owners can revoke API keys of others.")
        if key.revoked_at is not None:
            return key.revoked_at
        now = platform.sources.now()
        entry = audited(
            platform, caller, AuditAction.API_KEY_REVOKED, key.organization_id or "", key_id, name=key.name
        )
        await platform.store.commit(revocation(found, now), entry)
        return now

    return await until_undisturbed(attempt)


def revocation(found: Found[ApiKey], now: datetime) -> Patch[ApiKey]:
    """Return the write that ends a key; its next request is refused."""
    ended = min(now, found.value.active_until)
    return Patch(found.ref, {"revoked_at": now, "active_until": ended}, found.update_time)
