"""When a key was last used (api §5.1)."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from shared.model.apikey import ApiKey
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Patch
from shared.vault.apikeys import digest

EXACT_TO = timedelta(minutes=1)
"""A use this soon after the recorded one is not recorded again."""


async def note_use(platform: Platform, raw_key: str, key: ApiKey) -> None:
    """Record that a key was used now; costs at most one write a minute."""
    now = platform.sources.now()
    if key.last_used_at is None or now - key.last_used_at >= EXACT_TO:
        # A key that vanished since it was read need not be remembered.
        with suppress(Changed):
            await platform.store.commit(Patch(refs.api_key(digest(raw_key)), {"last_used_at": now}))
