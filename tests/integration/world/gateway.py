"""A running gateway: how it is called, and what it logged."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gateway:
    """One process with all functions."""

    base_url: str
    environment: dict[str, str]
    http: httpx.AsyncClient
    log: Path

    @property
    def port(self) -> int:
        return int(self.base_url.rpartition(":")[2])

    async def post(self, path: str, key: str, body: object = None) -> httpx.Response:
        """POST a JSON body, ``{}`` by default, with a key."""
        return await self.http.post(path, json={} if body is None else body, headers={"X-API-Key": key})

    async def get(self, path: str, key: str, **query: str | float) -> httpx.Response:
        """GET with a key."""
        return await self.http.get(path, params=query, headers={"X-API-Key": key})

    async def trigger(self, path: str, key: str, body: object = None) -> str:
        """Trigger a workflow that accepts it, and return the execution id."""
        answer = await self.post(f"/webhook/{path}", key, body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["executionId"])

    async def status(self, instance: str, execution_id: str, key: str, wait: float = 0) -> dict[str, Any]:
        """Return the public state of a run."""
        answer = await self.get(f"/status/{instance}/{execution_id}", key, wait=wait)
        assert answer.status_code == 200, answer.text
        execution: dict[str, Any] = answer.json()["execution"]
        return execution

    async def callback(self, name: str, body: object) -> httpx.Response:
        """Call one of the endpoints that workflows report to."""
        return await self.http.post(f"/{name}", json=body)

    def lines(self) -> list[dict[str, Any]]:
        """Every line logged so far, parsed."""
        return [json.loads(line) for line in self.log.read_bytes().splitlines() if line.startswith(b"{")]

    def line_of(self, answer: httpx.Response) -> dict[str, Any]:
        """The log line of an answered request."""
        request_id = answer.headers["x-request-id"]
        (found,) = [
            line for line in self.lines() if line.get("requestId") == request_id and "httpRequest" in line
        ]
        return found

    def cost_of(self, answer: httpx.Response, reads: int) -> dict[str, int]:
        """What a trigger cost that reads so many documents, without the look at the account once a second."""
        counts: dict[str, int] = self.line_of(answer)["firestore"]
        looked = counts["reads"] - reads
        assert looked in (0, 1)
        return {**counts, "reads": reads, "roundTrips": counts["roundTrips"] - looked}

    def lines_about(self, execution_id: str, endpoint: str = "") -> list[dict[str, Any]]:
        """The lines of requests that concerned a run."""
        return [
            line
            for line in self.lines()
            if line.get("executionId") == execution_id and line["message"].startswith(endpoint)
        ]


async def eventually(look: Callable[[], T], seconds: float = 15) -> T:
    """Return what ``look`` returns once it is true."""
    ends = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < ends, "it did not happen in time"
        await asyncio.sleep(0.03)
    return seen
