"""A running gateway: how it is called, and what it logged."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")


@dataclass(slots=True)
class _Reading:
    """The lines of a log that grows, each parsed once."""

    ends: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def go_on(self, log: Path) -> None:
        """Read what was written since; half a line waits for its other half."""
        with log.open("rb") as file:
            file.seek(self.ends)
            whole, newline, _ = file.read().rpartition(b"\n")
        self.ends += len(whole) + len(newline)
        for line in (json.loads(text) for text in whole.splitlines() if text.startswith(b"{")):
            self.lines.append(line)
            if "httpRequest" in line and "requestId" in line:
                self.answers.setdefault(line["requestId"], []).append(line)


@dataclass(frozen=True, slots=True)
class Gateway:
    """One process with all functions."""

    base_url: str
    environment: dict[str, str]
    http: httpx.AsyncClient
    log: Path
    _reading: _Reading = field(default_factory=_Reading, repr=False)

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
        self._reading.go_on(self.log)
        return list(self._reading.lines)

    def line_of(self, answer: httpx.Response) -> dict[str, Any]:
        """The log line of an answered request."""
        self._reading.go_on(self.log)
        (found,) = self._reading.answers[answer.headers["x-request-id"]]
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
