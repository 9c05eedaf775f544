"""From a key's id to the key: two reads by address, no query."""

from __future__ import annotations

from shared.errors import Forbidden, NotFound
from shared.model.apikey import ApiKey, KeyKind
from shared.model.organization import Role
from shared.services.access import role_in
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found


async def key_by_id(platform: Platform, caller: ApiKey, key_id: str) -> tuple[Found[ApiKey], Role | None]:
    """Return an organization key and the caller's role in its organization (``None``: an administrator).

    Raises:
        NotFound (``API_KEY_NOT_FOUND``): no organization key has that id.
        Forbidden: it is another organization's.
    """
    address = await platform.store.get(refs.api_key_address(key_id))
    if address is None:
        raise _unknown(key_id)
    role = None
    if caller.kind is not KeyKind.ADMIN:
        role = await role_in(platform, caller, address.value.organization_id)
        if role is None:
            raise Forbidden("This API key does not belong to your organization.")
    found = await platform.store.get(refs.api_key(address.value.digest))
    if found is None:
        raise _unknown(key_id)
    return found, role


def _unknown(key_id: str) -> NotFound:
    return NotFound(f"API key {key_id} not found.", code="API_KEY_NOT_FOUND")
