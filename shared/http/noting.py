"""What a request leaves behind besides its answer: the key's last use, and refusals.

Neither may fail the answer, and neither may hold it up for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from shared.errors import PlatformError
from shared.http.logs import log_exception
from shared.http.visit import Visit
from shared.services.audit.refusals import note_refusal
from shared.services.organizations.usage import is_news, note_use
from shared.services.platform import Platform

_PATIENCE = 0.25
"""Seconds an answer that is ready waits for what is still being noted."""

_unfinished: set[asyncio.Task[None]] = set()


@asynccontextmanager
async def noting_use(platform: Platform, visit: Visit) -> AsyncIterator[None]:
    """Record, while the body of the ``with`` runs, that the caller's key is used."""
    caller = visit.caller
    if caller is None or not is_news(platform, caller.digest, caller.key):
        yield
        return
    task = _start(note_use(platform, caller.digest), visit, "the use of a key was not noted")
    try:
        yield
    finally:
        await asyncio.wait({task}, timeout=_PATIENCE)


async def refused(platform: Platform, visit: Visit, error: PlatformError) -> None:
    """Tell the audit log when a known caller was refused a privileged action."""
    if error.status not in (401, 403) or visit.caller is None or not visit.endpoint.is_privileged:
        return
    writing = note_refusal(platform, visit.caller.key, visit.endpoint.name, error.code, visit.named())
    await asyncio.wait({_start(writing, visit, "a refusal was not noted")}, timeout=_PATIENCE)


def _start(work: Coroutine[Any, Any, object], visit: Visit, complaint: str) -> asyncio.Task[None]:
    async def run() -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the answer does not depend on it
            log_exception(complaint, error, requestId=visit.request_id)

    task = asyncio.create_task(run())
    # An event loop alone would let go of it.
    _unfinished.add(task)
    task.add_done_callback(_unfinished.discard)
    return task
