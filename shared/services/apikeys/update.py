"""Change a key of an organization; the next request with it obeys (api §5.4)."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import InvalidRequest
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.services.apikeys import rules
from shared.services.apikeys.find import key_by_id
from shared.services.audit import audited
from shared.services.organizations.management import require_management
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store.store import Patch


async def update_key(
    platform: Platform,
    caller: ApiKey,
    key_id: str,
    *,
    name: str | None = None,
    scopes: Sequence[str] | None = None,
    description: str | None = None,
) -> ApiKey:
    """Return the key as it is now; what is ``None`` stays, an empty description clears it.

    Raises:
        NotFound (``API_KEY_NOT_FOUND``): no organization key has that id.
        Forbidden: another organization's key, no management role, or scopes beyond the caller's own.
        InvalidRequest: nothing to change, a value does not fit, or the key is ``API_KEY_REVOKED`` or
            ``API_KEY_EXPIRED``.
    """

    async def attempt() -> ApiKey:
        found, role = await key_by_id(platform, caller, key_id)
        require_management(caller, role, "update API keys")
        changes = _changes(caller, name, scopes, description)
        key = found.value
        _require_active(platform, key)
        now = platform.sources.now()
        organization_id = key.organization_id or ""
        entry = audited(
            platform, caller, AuditAction.API_KEY_UPDATED, organization_id, key_id, **_told(changes)
        )
        await platform.store.commit(
            Patch(found.ref, {**changes, "updated_at": now}, found.update_time), entry
        )
        return key.model_copy(update={**changes, "updated_at": now})

    return await until_undisturbed(attempt)


def _changes(
    caller: ApiKey, name: str | None, scopes: Sequence[str] | None, description: str | None
) -> dict[str, object]:
    changes: dict[str, object] = {}
    if name is not None:
        changes["name"] = rules.key_name(name)
    if description is not None:
        changes["description"] = rules.key_description(description)
    if scopes is not None:
        granted = rules.granted_scopes(scopes)
        rules.require_held(caller, granted)
        changes["scopes"] = [scope.value for scope in granted]
    if not changes:
        raise InvalidRequest("Nothing to change: send at least one of scopes, name and description.")
    return changes


def _require_active(platform: Platform, key: ApiKey) -> None:
    if key.revoked_at is not None:
        raise InvalidRequest(
            "This API key was revoked and cannot be updated. Create a new one.", code="API_KEY_REVOKED"
        )
    if not key.is_usable(platform.sources.now()):
        raise InvalidRequest(
            "This API key has expired and cannot be updated. Create a new one.", code="API_KEY_EXPIRED"
        )


def _told(changes: dict[str, object]) -> dict[str, object]:
    return {"changed": sorted(changes)} | ({"scopes": changes["scopes"]} if "scopes" in changes else {})
