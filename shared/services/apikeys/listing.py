"""The keys of an organization, as they may be shown."""

from __future__ import annotations

import asyncio

from shared.model.apikey import ApiKey
from shared.services.access import chosen_organization
from shared.services.apikeys.active import active_keys, active_keys_of, organization_keys
from shared.services.organizations.management import manages
from shared.services.platform import Platform
from shared.store.query import find

MOST_ENDED = 100


async def list_keys(platform: Platform, caller: ApiKey, organization_id: str | None) -> list[ApiKey]:
    """Return every active key and the newest ones that ended, newest first; a member is shown their own.

    Raises:
        Forbidden, NotFound, InvalidRequest: as in :func:`chosen_organization`.
    """
    organization_id, role = await chosen_organization(platform, caller, organization_id)
    now = platform.sources.now()
    active, every = active_keys(organization_id, now), organization_keys(organization_id)
    if not manages(caller, role):
        active = active_keys_of(organization_id, caller.user_id, now)
        every = every.where("user_id", "==", caller.user_id)
    # Keys that ended pile up over the years: however many there are, none hides one that works.
    answers = await asyncio.gather(
        find(platform.store, active),
        find(platform.store, every.newest_first("created_at").at_most(MOST_ENDED)),
    )
    keys = {found.value.key_id: found.value for answer in answers for found in answer}
    return sorted(keys.values(), key=lambda key: (key.created_at, key.key_id), reverse=True)
