"""When a key was last used (api §5.1)."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from shared.model.apikey import ApiKey
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Patch

EXACT_TO = timedelta(minutes=1)
"""A use this soon after the recorded one is not recorded again."""


def is_news(platform: Platform, key_digest: str, key: ApiKey) -> bool:
    """Return whether a use of a key is worth recording now: at most once a minute in each process."""
    last = key.last_used_at
    if last is not None and platform.sources.now() - last < EXACT_TO:
        return False
    return platform.noted.is_new(("use", key_digest))


async def note_use(platform: Platform, key_digest: str) -> None:
    """Record that the key whose SHA-256 is ``key_digest`` was used now; costs one write."""
    # A key that vanished since it was read need not be remembered.
    with suppress(Changed):
        now = platform.sources.now()
        await platform.store.commit(Patch(refs.api_key(key_digest), {"last_used_at": now}))
