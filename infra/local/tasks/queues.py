"""A queue's settings: defaults, limits, field masks, and the typed view the dispatcher works with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from google.cloud.tasks_v2.types import queue as queue_types
from google.protobuf.message import Message

from infra.local.tasks.backoff import RetryPolicy
from infra.local.tasks.rpc import invalid, unsupported

Queue = queue_types.Queue.pb()

MAX_RATE = 500.0
MAX_BURST = 100
MAX_CONCURRENT = 5000
DEFAULT_CONCURRENT = 1000

_SETTINGS = ("rate_limits", "retry_config", "stackdriver_logging_config")
_OUTPUT_ONLY = ("name", "state", "purge_time")


class QueueState(IntEnum):
    """The numbers of Queue.State."""

    RUNNING = 1
    PAUSED = 2
    DISABLED = 3


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """What the dispatcher needs to know of a queue."""

    name: str
    running: bool
    rate: float
    burst: int
    concurrent: int
    retry: RetryPolicy

    @classmethod
    def of(cls, message: Message) -> QueueConfig:
        """Return the settings of a complete Queue message."""
        limits = message.rate_limits
        return cls(
            name=message.name,
            running=message.state == QueueState.RUNNING,
            rate=limits.max_dispatches_per_second,
            burst=limits.max_burst_size,
            concurrent=limits.max_concurrent_dispatches,
            retry=RetryPolicy().overridden(message.retry_config),
        )


def created(request: Message) -> Message:
    """Return a new running queue with every default filled in.

    Raises :class:`Refusal`: INVALID_ARGUMENT for values out of range, UNIMPLEMENTED for queue-level
    routing.
    """
    _refuse_routing(request)
    queue = Queue(name=request.name, state=QueueState.RUNNING)
    for field in _SETTINGS:
        getattr(queue, field).CopyFrom(getattr(request, field))
    return _completed(queue)


def updated(queue: Message, request: Message, mask: Message) -> Message:
    """Return the queue with the fields of the mask replaced; an empty mask replaces every setting.

    Raises the same refusals as :func:`created`, and INVALID_ARGUMENT for an unknown path.
    """
    _refuse_routing(request)
    if not mask.IsValidForDescriptor(Queue.DESCRIPTOR):
        raise invalid("update_mask names a field a queue does not have.")
    writable = [path for path in mask.paths if path.split(".")[0] not in _OUTPUT_ONLY]
    result = Queue()
    result.CopyFrom(queue)
    chosen = type(mask)(paths=writable if mask.paths else _SETTINGS)
    for path in chosen.paths:
        if "." not in path:
            result.ClearField(path)
    chosen.MergeMessage(request, result, True, True)
    return _completed(result)


def _completed(queue: Message) -> Message:
    limits = queue.rate_limits
    rate = limits.max_dispatches_per_second or MAX_RATE
    concurrent = limits.max_concurrent_dispatches or DEFAULT_CONCURRENT
    if not 0 < rate <= MAX_RATE:
        raise invalid(f"RateLimits.max_dispatches_per_second must be over 0 and at most {MAX_RATE:.0f}.")
    if not 0 < concurrent <= MAX_CONCURRENT:
        raise invalid(f"RateLimits.max_concurrent_dispatches must be from 1 to {MAX_CONCURRENT}.")
    limits.max_dispatches_per_second = rate
    limits.max_concurrent_dispatches = concurrent
    limits.max_burst_size = min(MAX_BURST, math.ceil(rate))
    RetryPolicy().overridden(queue.retry_config).write(queue.retry_config)
    return queue


def _refuse_routing(request: Message) -> None:
    for field in ("http_target", "app_engine_routing_override"):
        if request.HasField(field):
            raise unsupported(f"Queue.{field} is not supported by the local queue.")
