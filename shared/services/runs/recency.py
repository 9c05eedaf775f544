"""When an installation last ended a run (platform §3)."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Patch

_PATIENCE = 1.0
"""Seconds that a run's end waits for this at most: others may write to the installation just now."""


async def note_run(platform: Platform, process_instance_id: str) -> None:
    """Record that a run of the installation ended now: one write, at most one a minute in each process.

    Nothing is read, and nothing that goes wrong with it concerns the run.
    """
    if not platform.noted.is_new(("run", process_instance_id)):
        return
    ended = {"last_executed_at": platform.sources.now()}
    # An installation that vanished meanwhile need not be remembered.
    with suppress(Changed, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await platform.store.commit(Patch(refs.instance(process_instance_id), ended))
