"""The methods of google.cloud.tasks.v2.CloudTasks."""

from __future__ import annotations

import asyncio
import re

from google.cloud.tasks_v2.types import cloudtasks
from google.protobuf import empty_pb2
from google.protobuf.message import Message

from infra.local.tasks import names, queues, requests
from infra.local.tasks.limits import Limits
from infra.local.tasks.registry import LiveQueue, Registry
from infra.local.tasks.rpc import exists, invalid, not_found
from infra.local.tasks.task_store import StoredTask, TaskStore
from infra.local.tasks.times import Clock, put

ListQueuesResponse = cloudtasks.ListQueuesResponse.pb()
ListTasksResponse = cloudtasks.ListTasksResponse.pb()

QUEUES_PER_PAGE = 9800
TASKS_PER_PAGE = 1000
# gRPC refuses answers over 4 MiB by default; a page ends before that.
PAGE_BYTES = 3 * 1024 * 1024
PURGE_BATCH = 1000

_STATE_FILTER = re.compile(r"\s*state\s*[:=]\s*\"?(RUNNING|PAUSED|DISABLED)\"?\s*")


class CloudTasks:
    """Queues and tasks over gRPC; every method raises :class:`Refusal` for what it refuses."""

    def __init__(self, registry: Registry, tasks: TaskStore, clock: Clock, limits: Limits) -> None:
        self._registry = registry
        self._tasks = tasks
        self._clock = clock
        self._limits = limits

    async def CreateQueue(self, request: Message) -> Message:
        """Create a queue with defaults for what is not set."""
        if not names.queue(request.queue.name).startswith(f"{names.location(request.parent)}/queues/"):
            raise invalid("Queue.name must lie under the parent.")
        message = queues.created(request.queue)
        if self._registry.find(message.name):
            raise exists("Queue already exists.")
        self._registry.add(message)
        return message

    async def GetQueue(self, request: Message) -> Message:
        """Return a queue."""
        return self._queue(request.name).message

    async def ListQueues(self, request: Message) -> Message:
        """Return a page of queues in order of name; the filter ``state: X`` is understood."""
        page_size = _page_size(request, QUEUES_PER_PAGE)
        found = self._registry.under(names.location(request.parent), request.page_token)
        page = found[:page_size]
        wanted = _wanted_state(request.filter)
        response = ListQueuesResponse(queues=[queue for queue in page if wanted in (None, queue.state)])
        if len(found) > len(page):
            response.next_page_token = page[-1].name
        return response

    async def UpdateQueue(self, request: Message) -> Message:
        """Change the settings the mask names, or create the queue when there is none."""
        name = names.queue(request.queue.name)
        queue = self._registry.find(name)
        if queue is None:
            message = queues.created(request.queue)
            self._registry.add(message)
            return message
        self._registry.change(queue, queues.updated(queue.message, request.queue, request.update_mask))
        return queue.message

    async def DeleteQueue(self, request: Message) -> Message:
        """Delete a queue with all its tasks."""
        self._queue(request.name)
        self._registry.remove(request.name)
        return empty_pb2.Empty()

    async def PurgeQueue(self, request: Message) -> Message:
        """Delete every task created before the call."""
        queue = self._queue(request.name)
        now = self._clock()
        newest = self._tasks.newest()
        # In batches, so that a long queue does not hold up the others.
        while self._tasks.purge(queue.id, newest, now + self._limits.tombstone, PURGE_BATCH):
            await asyncio.sleep(0)
        message = _copy(queue.message)
        put(message.purge_time, now)
        self._registry.change(queue, message)
        return message

    async def PauseQueue(self, request: Message) -> Message:
        """Stop dispatching; tasks can still be created."""
        return self._set_state(request.name, queues.QueueState.PAUSED)

    async def ResumeQueue(self, request: Message) -> Message:
        """Dispatch again."""
        return self._set_state(request.name, queues.QueueState.RUNNING)

    async def CreateTask(self, request: Message) -> Message:
        """Store a task; it is durable when this returns."""
        queue = self._queue(request.parent)
        now = self._clock()
        task = requests.accepted(request.parent, queue.id, request.task, now, self._limits)
        if not self._tasks.insert(task, now):
            raise exists("Requested entity already exists")
        queue.dispatcher.wake(task.eta)
        return requests.rendered(request.parent, task, request.response_view)

    async def GetTask(self, request: Message) -> Message:
        """Return a task that is neither done nor given up."""
        name, queue, short = self._task_name(request.name)
        return requests.rendered(name, self._stored(queue, short), request.response_view)

    async def ListTasks(self, request: Message) -> Message:
        """Return a page of tasks in order of name."""
        queue = self._queue(request.parent)
        page_size = _page_size(request, TASKS_PER_PAGE)
        found = self._tasks.page(queue.id, request.page_token, page_size + 1)
        response = ListTasksResponse()
        size = 0
        for task in found[:page_size]:
            message = requests.rendered(request.parent, task, request.response_view)
            size += message.ByteSize()
            if size > PAGE_BYTES and response.tasks:
                break
            response.tasks.append(message)
        if len(response.tasks) < len(found):
            response.next_page_token = found[len(response.tasks) - 1].name
        return response

    async def DeleteTask(self, request: Message) -> Message:
        """Delete a task; an attempt in flight is not called back."""
        _, queue, short = self._task_name(request.name)
        self._tasks.remove(self._stored(queue, short), self._clock() + self._limits.tombstone)
        return empty_pb2.Empty()

    async def RunTask(self, request: Message) -> Message:
        """Start an attempt now, whatever schedule, rate, concurrency and pause say."""
        name, queue, short = self._task_name(request.name)
        task = self._tasks.claim(queue.id, short, self._clock())
        if task is None:
            raise not_found("Task does not exist.")
        queue.dispatcher.run(task)
        return requests.rendered(name, task, request.response_view)

    def _queue(self, name: str) -> LiveQueue:
        return self._registry.get(names.queue(name))

    def _task_name(self, name: str) -> tuple[str, LiveQueue, str]:
        queue, short = names.task(name)
        return queue, self._registry.get(queue), short

    def _stored(self, queue: LiveQueue, short: str) -> StoredTask:
        task = self._tasks.get(queue.id, short)
        if task is None:
            raise not_found("Task does not exist.")
        return task

    def _set_state(self, name: str, state: int) -> Message:
        queue = self._queue(name)
        message = _copy(queue.message)
        message.state = state
        self._registry.change(queue, message)
        return message


def _copy(message: Message) -> Message:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def _page_size(request: Message, most: int) -> int:
    if request.page_size < 0:
        raise invalid("page_size must not be negative.")
    return min(request.page_size or most, most)


def _wanted_state(text: str) -> int | None:
    if not text:
        return None
    match = _STATE_FILTER.fullmatch(text)
    if match is None:
        raise invalid("The local queue understands only filters of the form 'state: PAUSED'.")
    return queues.QueueState[match[1]]
