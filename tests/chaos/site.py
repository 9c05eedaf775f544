"""The stack under attack, and what its parts say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from shared.n8n.client import N8nClient
from shared.services.platform import Platform
from tests.support.stack import RunningStack

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Site:
    """A running stack with clients for all of it."""

    stack: RunningStack
    http: httpx.AsyncClient = field(repr=False)
    platform: Platform = field(repr=False)
    n8n: N8nClient = field(repr=False)

    def arm(self, point: str) -> None:
        """Let the gateway die when it next reaches a fault point; ``name:2`` is the second time."""
        self.stack.kill_file.write_text(point)

    @property
    def armed(self) -> bool:
        """Whether the point was not reached yet."""
        return self.stack.kill_file.exists()

    def disarm(self) -> None:
        self.stack.kill_file.unlink(missing_ok=True)

    async def call(self, method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
        """Call the platform as the organization's owner.

        Raises:
            httpx.TransportError: nobody answered.
        """
        headers = {"X-API-Key": self.stack.owner_key}
        return await self.http.request(method, path, json=body, headers=headers, **options)

    async def gateway_up(self) -> None:
        """Return once the gateway answers."""

        async def healthy() -> bool:
            try:
                return (await self.http.get("/healthz")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(healthy, 60)

    async def n8n_up(self) -> None:
        """Return once n8n answers again."""

        async def healthy() -> bool:
            try:
                url = f"{self.stack.content['n8nUrl']}/healthz/readiness"
                return (await self.http.get(url)).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(healthy, 180, pause=0.5)

    async def n8n_workflow(self, n8n_id: str) -> dict[str, Any]:
        """Return a workflow as n8n has it, with its active version."""
        return await self._n8n(f"/workflows/{n8n_id}")

    async def n8n_workflows(self, part_of_name: str) -> list[dict[str, Any]]:
        """Return every workflow in n8n whose name contains the text."""
        answer = await self._n8n("/workflows", name=part_of_name, limit=250, excludePinnedData="true")
        return list(answer["data"])

    async def markers_seen(self, n8n_ids: Sequence[str]) -> list[str]:
        """Return the marker of every run n8n has of these workflows, one entry a run, once none goes on."""

        async def idle() -> bool:
            pages = [
                await self._n8n("/executions", workflowId=n8n_id, status=status, limit=1)
                for n8n_id in n8n_ids
                for status in ("new", "running")
            ]
            return not any(page["data"] for page in pages)

        await eventually(idle, 90, what="the end of all runs in n8n")
        return [marker for n8n_id in n8n_ids for marker in await self._markers(n8n_id)]

    async def _markers(self, n8n_id: str) -> list[str]:
        query: dict[str, Any] = {"workflowId": n8n_id, "includeData": "true", "limit": 50}
        markers: list[str] = []
        while True:
            page = await self._n8n("/executions", **query)
            markers += [_marker_in(execution.get("data")) for execution in page["data"]]
            if not page.get("nextCursor"):
                return markers
            query["cursor"] = page["nextCursor"]

    async def _n8n(self, path: str, **query: Any) -> dict[str, Any]:
        url = f"{self.stack.content['n8nUrl']}/api/v1{path}"
        headers = {"X-N8N-API-KEY": str(self.stack.content["n8nApiKey"])}
        answer = await self.http.get(url, params=query, headers=headers)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document


def _marker_in(data: object) -> str:
    pending = [data]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if isinstance(part.get("marker"), str) and "executionMetadata" in part:
                return str(part["marker"])
            pending += part.values()
        elif isinstance(part, list):
            pending += part
    return "?"


async def eventually(
    look: Callable[[], Awaitable[T]], seconds: float = 60, pause: float = 0.1, what: str = "it"
) -> T:
    """Return what ``look`` returns once that is true."""
    ends = time.monotonic() + seconds
    while not (seen := await look()):
        assert time.monotonic() < ends, f"{what} did not happen within {seconds:g} s"
        await asyncio.sleep(pause)
    return seen
