"""The queue port and its one implementation.

A task is delivered at least once: handlers must bear a repeat. It is created exactly when
:meth:`Queue.create` returns, and what was created is not lost.
"""

from __future__ import annotations

import logging
from typing import Protocol

import grpc
from google.protobuf.message import Message

from shared.errors import Internal
from shared.tasks import messages
from shared.tasks.channel import TaskChannel
from shared.tasks.spec import QueueSettings, TaskSpec

log = logging.getLogger(__name__)

__all__ = ["CloudTasksQueue", "NoSuchQueue", "Queue", "QueueSettings", "TaskSpec"]


class NoSuchQueue(Internal):
    """The queue does not exist, or was created so lately that it takes no tasks yet."""


class Queue(Protocol):
    """Where work waits. Every method raises :class:`~shared.errors.Internal` when the queue fails."""

    async def create(self, task: TaskSpec) -> bool:
        """Enqueue a task; False when one of that name exists, or existed within the last hour or more.

        Raises :class:`NoSuchQueue` when there is no such queue.
        """
        ...

    async def delete(self, queue: str, name: str) -> bool:
        """Delete a task that is not done; False when there is none of that name."""
        ...

    async def ensure(self, settings: QueueSettings) -> None:
        """Create the queue, or change its rates and retries to these."""
        ...

    async def exists(self, queue: str) -> bool:
        """Whether there is a queue of that name."""
        ...


class CloudTasksQueue(Queue):
    """Google Cloud Tasks, or a server that speaks its protocol. Nothing is contacted before it is used."""

    def __init__(
        self,
        project: str,
        location: str,
        base_url: str,
        service_account_email: str,
        endpoint: str | None = None,
    ) -> None:
        """Take where tasks are kept and delivered.

        Args:
            project: Google Cloud project id.
            location: region of the queues.
            base_url: what the path of a task is appended to; also the audience of its identity token.
            service_account_email: the identity a delivered task carries.
            endpoint: ``host:port`` of a plaintext server; ``None`` means Google's, with the default
                credentials of the environment.
        """
        self._parent = f"projects/{project}/locations/{location}"
        self._base_url = base_url.rstrip("/")
        self._account = service_account_email
        self._channel = TaskChannel(endpoint)

    async def create(self, task: TaskSpec) -> bool:
        """Enqueue a task; see :meth:`Queue.create`."""
        queue = self._name(task.queue)
        url = self._base_url + task.path
        request = messages.create_task(queue, url, self._base_url, self._account, task)
        try:
            return await self._did("CreateTask", request, f"parent={queue}", grpc.StatusCode.ALREADY_EXISTS)
        except Internal as failed:
            if isinstance(cause := failed.__cause__, grpc.aio.AioRpcError) and _no_queue(cause):
                raise NoSuchQueue(f"There is no queue {task.queue}.") from cause
            raise

    async def delete(self, queue: str, name: str) -> bool:
        """Delete a task; see :meth:`Queue.delete`."""
        request = messages.delete_task(self._name(queue), name)
        return await self._did("DeleteTask", request, f"name={request.name}", grpc.StatusCode.NOT_FOUND)

    async def ensure(self, settings: QueueSettings) -> None:
        """Create or change a queue; see :meth:`Queue.ensure`."""
        request = messages.update_queue(self._name(settings.name), settings)
        await self._did("UpdateQueue", request, f"queue.name={request.queue.name}", None)

    async def exists(self, queue: str) -> bool:
        """Whether there is a queue of that name; see :meth:`Queue.exists`."""
        request = messages.get_queue(self._name(queue))
        return await self._did("GetQueue", request, f"name={request.name}", grpc.StatusCode.NOT_FOUND)

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    def _name(self, queue: str) -> str:
        return f"{self._parent}/queues/{queue}"

    async def _did(
        self, method: str, request: Message, routing: str, not_done: grpc.StatusCode | None
    ) -> bool:
        try:
            await self._channel.call(method, request, routing)
        except grpc.aio.AioRpcError as error:
            if error.code() == not_done:
                return False
            log.warning("%s failed: %s %s", method, error.code().name, error.details())
            raise Internal("The task queue failed; try again.") from error
        return True


def _no_queue(error: grpc.aio.AioRpcError) -> bool:
    return bool(error.code() == grpc.StatusCode.NOT_FOUND)
