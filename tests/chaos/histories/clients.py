"""What those outside do in a history: trigger, repeat, poll, wait, cancel – and an operator who switches."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.store import refs
from shared.store.store import Patch
from tests.chaos.histories.n8n_model import Ask, Tell
from tests.chaos.histories.processes import Lost
from tests.integration.world.installations import Installation

_TRIES = 12


@dataclass
class Client:
    """An app that triggers runs and looks at what becomes of them."""

    name: str
    chance: random.Random
    ask: Ask
    tell: Tell
    installed: Installation
    until: float
    seen: list[str] = field(default_factory=list)
    _orders: int = 0

    async def act(self) -> None:
        """Do a few things, with pauses."""
        for _ in range(self.chance.randint(2, 4)):
            await asyncio.sleep(self.chance.uniform(0, 6))
            if self.seen and self.chance.random() < 0.15:
                await self._cancel(self.chance.choice(self.seen))
            elif self.seen and self.chance.random() < 0.3:
                await self.look(self.chance.choice(self.seen), self.chance.choice((0, 5, 30)))
            elif self.chance.random() < 0.5:
                await self._order_once()
            else:
                await self._trigger(self._order(None), None)

    def _order(self, key: str | None) -> dict[str, Any]:
        self._orders += 1
        name = f"{self.name}-{self._orders}"
        ends = self.chance.choice(("result", "result", "result", "error", "throws", "silent"))
        reports: list[tuple[str, Any]] = []
        if ends in ("result", "error"):
            reports.append((ends, {"of": name} if ends == "result" else f"{name} went wrong"))
            reports += [reports[0]] * self.chance.choice((0, 0, 1, 2))
            if self.chance.random() < 0.3:
                reports.append(
                    self.chance.choice((("result", {"of": name, "second": True}), ("error", "no")))
                )
        return {
            "order": name,
            "key": key,
            "ends": ends,
            "reports": reports,
            "seconds": round(self.chance.choice((0.01, 0.3, 2, 20, 90)) * self.chance.random(), 3),
            "captures": self.chance.choice((0, 1, 1, 2)),
            "answers": self.chance.choice(("at once", "when it has ended")),
        }

    async def _order_once(self) -> None:
        key = f"key-{self.name}-{self._orders + 1}"
        order = self._order(key)
        at_once = self.chance.choice((1, 1, 2, 3))
        await asyncio.gather(*(self._insist(order, key) for _ in range(at_once)))
        if self.chance.random() < 0.5:
            await asyncio.sleep(self.chance.uniform(0, 40))
            await self._insist(order, key)

    async def _insist(self, order: dict[str, Any], key: str) -> None:
        for _ in range(_TRIES):
            answered = await self._trigger(order, key)
            if answered == 200:
                return
            await asyncio.sleep(self.chance.uniform(0.2, 4))

    async def _trigger(self, order: dict[str, Any], key: str | None) -> int:
        headers = {"X-API-Key": self.installed.key} | ({"Idempotency-Key": key} if key else {})
        try:
            answered, said = await self.ask("POST", f"/webhook/{self.installed.path}", order, headers)
        except Lost:
            self.tell("no answer", order=order["order"], key=key)
            return 0
        if answered == 200:
            self.seen.append(said["executionId"])
            self.tell("accepted", execution=said["executionId"], order=order["order"], key=key)
        else:
            self.tell("refused", order=order["order"], key=key, answer=answered, code=said.get("code"))
        return answered

    async def _cancel(self, execution_id: str) -> None:
        path = f"/cancelExecutionPublic/{self.installed.id}/{execution_id}"
        try:
            answered, _said = await self.ask("POST", path, {}, {"X-API-Key": self.installed.key})
        except Lost:
            return
        said = "The run was cancelled."
        self.tell("cancelled", execution=execution_id, kind="error", value=said, answer=answered)

    async def look(self, execution_id: str, seconds: float) -> None:
        """Read a run's status, waiting for its end up to so many seconds."""
        path = f"/status/{self.installed.id}/{execution_id}?wait={seconds}"
        try:
            answered, said = await self.ask("GET", path, {}, {"X-API-Key": self.installed.key})
        except Lost:
            return
        if answered == 200:
            run = said["execution"]
            error = (run.get("errorDetails") or {}).get("message")
            self.tell(
                "read",
                execution=execution_id,
                status=run["status"],
                result=run.get("resultData"),
                error=error,
            )


async def operate(chance: random.Random, installed: Installation, tell: Tell) -> None:
    """Pause and activate, or hold as a deployment does, once or twice."""
    store, ref = installed.platform.store, refs.endpoint(installed.id, "main")
    for _ in range(chance.randint(0, 2)):
        await asyncio.sleep(chance.uniform(0, 20))
        if chance.random() < 0.5:
            tell("paused")
            await store.commit(Patch(ref, {"is_active": False}))
            await asyncio.sleep(chance.uniform(0.1, 5))
            await store.commit(Patch(ref, {"is_active": True}))
            tell("activated")
        else:
            now = installed.platform.sources.now()
            tell("held")
            await store.commit(Patch(ref, {"held_until": now + timedelta(seconds=chance.uniform(0.5, 10))}))
