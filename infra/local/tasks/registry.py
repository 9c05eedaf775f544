"""The queues of a running server, each with its dispatcher, and what happens to them as a whole."""

from __future__ import annotations

import asyncio
import logging

from google.protobuf.message import Message

from infra.local.tasks.dispatcher import Deliver, Dispatcher
from infra.local.tasks.limits import Limits
from infra.local.tasks.queue_store import QueueStore
from infra.local.tasks.queues import QueueConfig
from infra.local.tasks.rpc import not_found
from infra.local.tasks.task_store import TaskStore
from infra.local.tasks.times import Clock

log = logging.getLogger(__name__)

SWEEP_BATCH = 1000
SWEEP_SECONDS = 30.0


class LiveQueue:
    """A queue's message and its dispatcher."""

    def __init__(self, message: Message, dispatcher: Dispatcher) -> None:
        self.message = message
        self.dispatcher = dispatcher

    @property
    def id(self) -> int:
        """The queue's id in the store."""
        return self.dispatcher.queue_id


class Registry:
    """Finds, adds, changes and removes queues; the store and the dispatchers never disagree."""

    def __init__(
        self, queues: QueueStore, tasks: TaskStore, deliver: Deliver, clock: Clock, limits: Limits
    ) -> None:
        self._queues = queues
        self._tasks = tasks
        self._deliver = deliver
        self._clock = clock
        self._limits = limits
        self._live: dict[str, LiveQueue] = {}
        self._retired: list[Dispatcher] = []

    def start(self) -> None:
        """Begin to dispatch every stored queue; what a dead process had in flight is due again."""
        released = self._tasks.release_claims()
        if released:
            log.info("%d tasks were in flight when the server last ended; they are delivered again", released)
        for queue_id, message in self._queues.all():
            self._open(queue_id, message)

    def get(self, name: str) -> LiveQueue:
        """Return the queue; raises :class:`Refusal` (NOT_FOUND)."""
        queue = self._live.get(name)
        if queue is None:
            raise not_found("Queue does not exist.")
        return queue

    def find(self, name: str) -> LiveQueue | None:
        """Return the queue or None."""
        return self._live.get(name)

    def under(self, parent: str, after: str) -> list[Message]:
        """Return the queues of a location in order of name, beginning after a name."""
        prefix = f"{parent}/queues/"
        return [
            self._live[name].message
            for name in sorted(self._live)
            if name.startswith(prefix) and name > after
        ]

    def add(self, message: Message) -> None:
        """Store a new queue and begin to dispatch it."""
        self._open(self._queues.insert(message), message)

    def change(self, queue: LiveQueue, message: Message) -> None:
        """Store changed settings and work by them from now on."""
        self._queues.replace(queue.id, message)
        queue.message = message
        queue.dispatcher.configure(QueueConfig.of(message))

    def remove(self, name: str) -> None:
        """Delete the queue at once; its rows are swept away in the background."""
        queue = self._live.pop(name)
        queue.dispatcher.stop()
        self._retired.append(queue.dispatcher)
        self._queues.delete(queue.id)

    async def sweep(self) -> None:
        """Remove what deleted queues and old tombstones left, a little at a time; runs until cancelled."""
        while True:
            for queue_id in self._queues.deleted():
                while self._queues.sweep(queue_id, SWEEP_BATCH):
                    await asyncio.sleep(0)
            while self._tasks.forget_tombstones(self._clock(), SWEEP_BATCH):
                await asyncio.sleep(0)
            await asyncio.sleep(SWEEP_SECONDS)

    async def stop(self, grace: float) -> None:
        """Start no further attempts and wait up to ``grace`` seconds for those in flight."""
        dispatchers = [queue.dispatcher for queue in self._live.values()] + self._retired
        for dispatcher in dispatchers:
            dispatcher.stop()
        await asyncio.gather(*(dispatcher.drain(grace) for dispatcher in dispatchers))

    def _open(self, queue_id: int, message: Message) -> None:
        dispatcher = Dispatcher(
            queue_id, QueueConfig.of(message), self._tasks, self._deliver, self._clock, self._limits
        )
        self._live[message.name] = LiveQueue(message, dispatcher)
        dispatcher.wake(self._clock())
