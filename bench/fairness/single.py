"""A gateway that books the runs of all organizations into one queue, as it was before lanes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from bench.api import CallFailed
from bench.session import Session
from shared.services.runs.lanes import lane_of
from shared.tasks.spec import QueueSettings
from tests.support.ports import free_port
from tests.support.stack import ROOT, UNLIMITED

_SHARED = {"DISPATCH_LANES": "1"}
_PATIENCE = 30


@asynccontextmanager
async def single_queue(session: Session) -> AsyncIterator[str]:
    """Yield the base URL of a gateway whose runs wait in one queue with the limits there were before."""
    queue = lane_of(session.organization_id, lanes=1)
    await session.platform.queue.ensure(QueueSettings(queue, max_concurrent_dispatches=50, max_attempts=-1))
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.local.gateway", "--port", str(port)),
        cwd=ROOT,
        env={**os.environ, **session.stack.environment(), **UNLIMITED, **_SHARED},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    base_url = f"http://127.0.0.1:{port}"
    try:
        await _answering(session, base_url)
        yield base_url
    finally:
        process.terminate()
        await process.wait()


async def _answering(session: Session, base_url: str) -> None:
    for _ in range(_PATIENCE * 10):
        try:
            async with session.http.get(base_url):
                return
        except aiohttp.ClientError:
            await asyncio.sleep(0.1)
    raise CallFailed("the gateway with a single queue does not start")
