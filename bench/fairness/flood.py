"""A tenant that triggers more than is run, so that its backlog never ends while others are measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.api import CallFailed
from bench.installed import Installed
from bench.load import each
from bench.session import connections
from shared.model.execution import ExecutionStatus
from shared.store import refs

_AT_ONCE = 8


@asynccontextmanager
async def flooding(
    installed: Installed, backlog: int, per_second: float, base_url: str | None = None
) -> AsyncIterator[None]:
    """Trigger ``backlog`` runs, then ``per_second`` more until the block ends, then wait for all of them.

    Raises:
        CallFailed: the backlog had ended before the block did, which would mean nothing.
    """
    async with connections(_AT_ONCE) as http:
        runs = await each(range(backlog), _AT_ONCE, lambda _: installed.trigger(http, base_url))

        async def go_on() -> None:
            while True:
                runs.append(await installed.trigger(http, base_url))
                await asyncio.sleep(1 / per_second)

        going = asyncio.create_task(go_on())
        try:
            yield
        finally:
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)
        still = [await _is_waiting(installed, run) for run in runs[-5:]]
        await installed.all_ended(runs)
        if not any(still):
            raise CallFailed("the flood's backlog had ended before the measurement did")


async def _is_waiting(installed: Installed, execution_id: str) -> bool:
    reference = refs.execution(installed.instance_id, execution_id)
    found = await installed.session.platform.store.get(reference)
    return found is not None and found.value.status is ExecutionStatus.PENDING
