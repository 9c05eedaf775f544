from __future__ import annotations

import asyncio

import pytest

from shared.vault.errors import SecretsUnavailable
from shared.vault.held import Held


class Source:
    """Counts up with every load; loads wait while the gate is shut."""

    def __init__(self) -> None:
        self.now = 0.0
        self.loads = 0
        self.down = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def load(self) -> int:
        self.loads += 1
        await self.gate.wait()
        if self.down:
            raise SecretsUnavailable("down")
        return self.loads

    def held(self, max_age: float = 100.0) -> Held[int]:
        return Held(self.load, max_age, lambda: self.now)


async def test_many_that_ask_at_once_share_one_load() -> None:
    source = Source()
    held = source.held()
    assert await asyncio.gather(*[held.get() for _ in range(10)]) == [1] * 10


async def test_a_value_is_loaded_again_only_when_it_is_old() -> None:
    source = Source()
    held = source.held()
    assert await held.get() == 1
    source.now = 99.0
    assert await held.get() == 1
    source.now = 100.0
    assert await held.get() == 2


async def test_while_an_old_value_is_loaded_again_others_do_not_wait() -> None:
    source = Source()
    held = source.held()
    await held.get()
    source.now = 200.0
    source.gate.clear()
    first = asyncio.create_task(held.get())
    await asyncio.sleep(0)
    assert await asyncio.wait_for(held.get(), 5) == 1
    source.gate.set()
    assert await first == 2


async def test_an_outage_keeps_the_old_value_and_is_tried_again_after_half_a_minute() -> None:
    source = Source()
    held = source.held()
    await held.get()
    source.now, source.down = 200.0, True
    assert [await held.get() for _ in range(3)] == [1, 1, 1]
    assert source.loads == 2
    source.now, source.down = 230.0, False
    assert await held.get() == 3


async def test_without_an_old_value_an_outage_is_an_error_until_it_ends() -> None:
    source = Source()
    held = source.held()
    source.down = True
    with pytest.raises(SecretsUnavailable):
        await held.get()
    source.down = False
    assert await held.get() == 2
