"""An event loop whose time is its own: it jumps to whatever is due next, so a day passes in a moment."""

from __future__ import annotations

import asyncio
import random
import selectors
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.retry import retry_base, retry_streaming_async, retry_unary_async

from shared.sources import Sources

BEGINNING = datetime(2026, 1, 5, 9, tzinfo=UTC)


class _Jump(selectors.DefaultSelector):
    """Waits for nothing: there is nobody outside."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits, and nothing is due"
            self.loop.elapsed += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """``elapsed`` is in seconds since its beginning."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        selector = _Jump()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.elapsed


class VirtualSources(Sources):
    """The clock of a loop, and ids that follow from a seed."""

    def __init__(self, loop: VirtualLoop, chance: random.Random) -> None:
        self._loop = loop
        self._chance = chance

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._loop.elapsed)

    def micros(self) -> int:
        """Microseconds since 1970."""
        return int(self.now().timestamp() * 1_000_000)

    def auto_id(self) -> str:
        return "".join(self._chance.choices("ABCDEFGHKLMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz123456789", k=20))

    def uuid7(self) -> str:
        milliseconds = self.micros() // 1000
        number = (milliseconds << 80) | self._chance.getrandbits(80)
        number = (number & ~(0xF << 76)) | (7 << 76)
        return str(uuid.UUID(int=(number & ~(3 << 62)) | (2 << 62)))

    def token(self) -> str:
        return "".join(self._chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=43))


class _Clock:
    """Stands for the module ``time`` where retries look at it."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.monotonic = loop.time


def retries_follow(loop: VirtualLoop) -> list[tuple[Any, Any]]:
    """Let the retries of Google's library give up by the loop's time; return what was there before."""
    modules: tuple[Any, ...] = (retry_base, retry_unary_async, retry_streaming_async)
    before = [(module, module.time) for module in modules]
    for module in modules:
        module.time = _Clock(loop)
    return before
