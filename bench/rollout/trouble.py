"""Workers that are killed and tasks that are delivered twice, by a seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.api_core import exceptions as api
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport
from google.protobuf.timestamp_pb2 import Timestamp

from bench.rollout.site import Site

_LATEST_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How much happens: a worker dies every ``kill_every`` seconds, ``copied`` of the tasks come twice."""

    seed: int
    kill_every: float
    copied: float = 0.1
    most_kills: int | None = None
    look_every: float = 3.0


@dataclass(slots=True)
class Trouble:
    """What was done so far."""

    plan: Plan
    kills: int = 0
    copies: int = 0
    forced: int = 0
    _seen: set[str] = field(default_factory=set)
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.plan.seed)

    async def kill_workers(self, site: Site) -> None:
        """Kill one worker after the other, and start the next one in its place."""
        while self.plan.most_kills is None or self.kills < self.plan.most_kills:
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * self.plan.kill_every)
            worker = self._chance.choice(site.workers)
            await worker.kill()
            self.kills += 1
            await worker.start()

    async def repeat_tasks(self, site: Site) -> None:
        """Deliver some of the tasks that wait or are being delivered again: at once, or much later."""
        async with grpc.aio.insecure_channel(site.servers.tasks) as channel:
            client = tasks_v2.CloudTasksAsyncClient(transport=CloudTasksGrpcAsyncIOTransport(channel=channel))
            while True:
                await asyncio.sleep(self.plan.look_every)
                for task in await _waiting(site, client):
                    await self._repeat(client, task)

    async def _repeat(self, client: tasks_v2.CloudTasksAsyncClient, task: Any) -> None:
        if task.name in self._seen:
            return
        self._seen.add(task.name)
        if self._chance.random() >= self.plan.copied:
            return
        queue, _, name = task.name.rpartition("/tasks/")
        with suppress(api.NotFound, api.AlreadyExists):
            if self._chance.random() < 0.3:
                await client.run_task(name=task.name)
                self.forced += 1
                return
            due = Timestamp()
            late = timedelta(seconds=self._chance.uniform(0, _LATEST_SECONDS))
            due.FromDatetime(datetime.now(UTC) + late)
            copy = tasks_v2.Task(
                name=f"{queue}/tasks/again-{name}", http_request=task.http_request, schedule_time=due
            )
            self._seen.add(copy.name)
            await client.create_task(parent=queue, task=copy)
            self.copies += 1


async def _waiting(site: Site, client: tasks_v2.CloudTasksAsyncClient) -> list[Any]:
    settings = site.platform.settings
    parent = f"projects/{settings.project}/locations/{settings.location}"
    found: list[Any] = []
    full = tasks_v2.Task.View.FULL
    async for queue in await client.list_queues(parent=parent):
        asked = tasks_v2.ListTasksRequest(parent=queue.name, response_view=full, page_size=1000)
        found += [task async for task in await client.list_tasks(request=asked)]
    return found


@asynccontextmanager
async def made(site: Site, plan: Plan) -> AsyncIterator[Trouble]:
    """Make trouble while the body runs."""
    trouble = Trouble(plan)
    going = [asyncio.create_task(make(site)) for make in (trouble.kill_workers, trouble.repeat_tasks)]
    try:
        yield trouble
    finally:
        for task in going:
            task.cancel()
        ended = await asyncio.gather(*going, return_exceptions=True)
        # A killed worker whose successor was not started yet would be missing.
        for worker in site.workers:
            if worker.process is None or worker.process.returncode is not None:
                await worker.start()
    for result in ended:
        if isinstance(result, Exception):
            raise result
