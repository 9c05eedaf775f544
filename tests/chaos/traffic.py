"""Runs that are triggered without a pause while something breaks, and what became of each of them."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.figures import Figures
from tests.chaos.product import Product
from tests.chaos.site import eventually

_PAUSE = 0.15


@dataclass(slots=True)
class Traffic:
    """The runs of one product that were triggered; ``accepted`` maps their markers to execution ids."""

    product: Product
    instance_id: str
    accepted: dict[str, str] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    """Markers of triggers that were never answered: they may run, but not twice."""

    async def trigger(self, workflow: str) -> None:
        """Trigger once; nobody may be there to answer."""
        marker = uuid.uuid4().hex
        try:
            answer = await self.product.site.call(
                "POST", f"/webhook/{self.instance_id}/{workflow}", {"marker": marker}
            )
        except httpx.TransportError:
            self.unsure.add(marker)
            return
        if answer.status_code == 200:
            self.accepted[marker] = str(answer.json()["executionId"])
        else:
            self.unsure.add(marker)

    async def keep_going(self) -> None:
        """Trigger one parent after the other."""
        while True:
            for workflow in ("alpha", "beta"):
                await self.trigger(workflow)
                await asyncio.sleep(_PAUSE)

    async def until_accepted(self, workflow: str, seconds: float = 60) -> None:
        """Trigger until one is accepted again."""
        before = len(self.accepted)

        async def look() -> bool:
            await self.trigger(workflow)
            return len(self.accepted) > before

        await eventually(look, seconds, pause=0.5, what="an accepted trigger")

    async def settled(self, seconds: float = 120) -> Figures:
        """Return what became of the runs, once every one has ended or ``seconds`` are over."""
        figures = Figures(accepted=len(self.accepted))
        ends = {
            marker: self.product.outcome(self.instance_id, execution_id, seconds)
            for marker, execution_id in self.accepted.items()
        }
        outcomes = dict(zip(ends, await _all(list(ends.values())), strict=True))
        seen = Counter(await self._seen())
        for marker, outcome in outcomes.items():
            _judge(figures, outcome, seen[marker])
        figures.doubled = sum(1 for marker in (*outcomes, *self.unsure) if seen[marker] > 1)
        return figures

    async def _seen(self) -> list[str]:
        rows = await self.product.rows()
        parents = [row for row in rows if row.workflow_id in ("alpha", "beta")]
        return await self.product.site.markers_seen([row.n8n_workflow_id or "" for row in parents])


def _judge(figures: Figures, outcome: dict[str, Any] | None, runs_in_n8n: int) -> None:
    if outcome is None:
        figures.lost += 1
    elif outcome["status"] == "success":
        figures.succeeded += 1
        figures.lost += runs_in_n8n == 0
        figures.mixed += len(set(outcome["resultData"].values())) != 1
        if len(set(outcome["resultData"].values())) != 1:
            print(outcome["createdAt"], outcome["resultData"])
    else:
        details = outcome["errorDetails"]
        figures.failed[details.get("code") or details["message"][:80]] += 1


async def _all(outcomes: list[Any]) -> list[dict[str, Any] | None]:
    """Await all, a few at a time; ``None`` for those that did not end."""
    gate = asyncio.Semaphore(8)

    async def one(outcome: Any) -> dict[str, Any] | None:
        async with gate:
            try:
                found: dict[str, Any] = await outcome
            except AssertionError:
                return None
            return found

    return await asyncio.gather(*(one(outcome) for outcome in outcomes))


async def started_traffic(product: Product) -> Traffic:
    """Return the means to trigger what is deployed."""
    instance_id = await product.instance_id()
    assert instance_id is not None
    return Traffic(product, instance_id)


@asynccontextmanager
async def traffic(product: Product) -> AsyncIterator[Traffic]:
    """Trigger while the body runs."""
    running = await started_traffic(product)
    going = asyncio.create_task(running.keep_going())
    try:
        yield running
    finally:
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
