"""Whether this process reaches what it needs: documents, task queues, secrets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from shared.services.platform import MAIL_SECRET, Platform
from shared.services.runs.queues import DISPATCH
from shared.store import refs

PATIENCE = 2.0
"""Seconds a part may take to answer."""

REMEMBERED = 1.0
"""Seconds an answer holds: whoever asks more often costs nothing."""

Parts = Mapping[str, bool]
"""Whether each part answers, by its name."""


class Readiness:
    """Asks all parts at once, at most once a second however many want to know."""

    def __init__(self, platform: Platform) -> None:
        self._probes: Mapping[str, Callable[[], Awaitable[object]]] = {
            "firestore": lambda: platform.store.get(refs.shards()),
            "taskQueue": lambda: platform.queue.exists(DISPATCH),
            "secretManager": lambda: platform.secrets.versions(MAIL_SECRET),
        }
        self._known: tuple[float, Parts] = (float("-inf"), {})
        self._asking = asyncio.Lock()

    async def parts(self) -> Parts:
        """Return which parts answer."""
        async with self._asking:
            at, known = self._known
            if time.monotonic() - at >= REMEMBERED:
                answers = await asyncio.gather(*(_answers(probe) for probe in self._probes.values()))
                known = dict(zip(self._probes, answers, strict=True))
                self._known = time.monotonic(), known
            return known


async def _answers(probe: Callable[[], Awaitable[object]]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await probe()
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not ready; the cause may name addresses
        return False
    return True
