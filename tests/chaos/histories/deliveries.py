"""Cloud Tasks as a history sees it: nothing created is lost, all may come twice, late and reordered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
from google.cloud.tasks_v2.types import cloudtasks

from infra.local.firestore.refusal import Refusal
from tests.chaos.histories.faults import Faults
from tests.chaos.histories.virtual import VirtualLoop, VirtualSources

Deliver = Callable[[str, bytes, dict[str, str]], Awaitable[int]]
"""Calls a handler by its path; returns the status, 0 for none."""

_REQUESTS = {
    "CreateTask": cloudtasks.CreateTaskRequest.pb(),
    "DeleteTask": cloudtasks.DeleteTaskRequest.pb(),
    "UpdateQueue": cloudtasks.UpdateQueueRequest.pb(),
}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


@dataclass
class TaskService:
    """All queues. ``waiting`` are tasks that are not done."""

    loop: VirtualLoop
    sources: VirtualSources
    faults: Faults
    deliver: Deliver
    waiting: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    queues: set[str] = field(default_factory=set)
    deliveries: int = 0

    def service(self, path: Any) -> grpc.RpcMethodHandler:
        """Return how a method is called."""
        name = path.method.rpartition("/")[2]
        method = getattr(self, f"_{name}")

        async def handle(message: Any, context: object) -> bytes:
            method(message)
            return b""

        return grpc.unary_unary_rpc_method_handler(handle, request_deserializer=_REQUESTS[name].FromString)

    def _UpdateQueue(self, request: Any) -> None:
        self.queues.add(request.queue.name)

    def _CreateTask(self, request: Any) -> None:
        if request.parent not in self.queues:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "no such queue")
        name = request.task.name or f"{request.parent}/tasks/unnamed-{len(self.known)}"
        if name in self.known:
            raise Refusal(grpc.StatusCode.ALREADY_EXISTS, "there is one")
        self.known.add(name)
        self.waiting[name] = self.loop.create_task(self._live(name, request.task))

    def _DeleteTask(self, request: Any) -> None:
        task = self.waiting.pop(request.name, None)
        if task is None:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "there is none")
        task.cancel()

    async def _live(self, name: str, task: Any) -> None:
        await asyncio.sleep(max(0.0, self._due(task) - self.loop.elapsed))
        if self.faults.strikes("queue: delivered late"):
            await asyncio.sleep(self.faults.between(0.1, 60))
        if self.faults.strikes("queue: delivered twice"):
            # Most repeats that do harm come at once.
            gap = self.faults.between(0, 2) * self.faults.chance.choice((0, 0, 1))
            self.loop.create_task(self._again(task, gap))
        pause, attempt = _FIRST_PAUSE, 0
        while not await self._deliver(task, attempt):
            await asyncio.sleep(pause)
            pause, attempt = min(_LONGEST_PAUSE, pause * 2), attempt + 1
        if self.faults.strikes("queue: delivered after its end"):
            self.loop.create_task(self._again(task, self.faults.between(0, 90)))
        self.waiting.pop(name, None)

    async def _again(self, task: Any, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._deliver(task, 0)

    async def _deliver(self, task: Any, attempt: int) -> bool:
        self.deliveries += 1
        path = "/" + task.http_request.url.split("/", 3)[3]
        headers = {"x-cloudtasks-taskretrycount": str(attempt), "authorization": "Bearer queue"}
        try:
            async with asyncio.timeout(task.dispatch_deadline.seconds or 600):
                answered = await self.deliver(path, task.http_request.body, headers)
        except TimeoutError:
            return False
        return 200 <= answered < 300

    def _due(self, task: Any) -> float:
        if not task.HasField("schedule_time"):
            return self.loop.elapsed
        due = datetime.fromtimestamp(task.schedule_time.seconds + task.schedule_time.nanos / 1e9, UTC)
        return self.loop.elapsed + (due - self.sources.now()).total_seconds()
