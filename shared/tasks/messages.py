"""Cloud Tasks messages from our values.

Plain protobuf classes, taken once out of the client package's wrappers: building a wrapped task takes
several times as long as everything else a trigger does in this process.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.cloud.tasks_v2.types import cloudtasks
from google.protobuf.message import Message

from shared.tasks.spec import QueueSettings, TaskSpec
from shared.telemetry.current import outgoing

CreateTaskRequest = cloudtasks.CreateTaskRequest.pb()
DeleteTaskRequest = cloudtasks.DeleteTaskRequest.pb()
GetQueueRequest = cloudtasks.GetQueueRequest.pb()
UpdateQueueRequest = cloudtasks.UpdateQueueRequest.pb()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_POST = 1


def create_task(queue: str, url: str, audience: str, account: str, task: TaskSpec) -> Message:
    """Return the request that puts a task into the queue of that full name."""
    request = CreateTaskRequest(parent=queue)
    message = request.task
    if task.name is not None:
        message.name = f"{queue}/tasks/{task.name}"
    if task.schedule_time is not None:
        _put(message.schedule_time, task.schedule_time - _EPOCH)
    _put(message.dispatch_deadline, task.deadline)
    http = message.http_request
    http.url = url
    http.http_method = _POST
    http.headers["Content-Type"] = "application/json"
    for name, value in outgoing().items():
        http.headers[name] = value
    http.body = task.body
    http.oidc_token.service_account_email = account
    http.oidc_token.audience = audience
    return request


def delete_task(queue: str, name: str) -> Message:
    """Return the request that deletes a task by its short name."""
    return DeleteTaskRequest(name=f"{queue}/tasks/{name}")


def get_queue(queue: str) -> Message:
    """Return the request that asks for the queue of that full name."""
    return GetQueueRequest(name=queue)


def update_queue(queue: str, settings: QueueSettings) -> Message:
    """Return the request that creates the queue of that full name, or changes its rates and retries."""
    request = UpdateQueueRequest()
    request.update_mask.paths.extend(["rate_limits", "retry_config"])
    request.queue.name = queue
    limits, retry = request.queue.rate_limits, request.queue.retry_config
    limits.max_dispatches_per_second = settings.max_dispatches_per_second
    limits.max_concurrent_dispatches = settings.max_concurrent_dispatches
    retry.max_attempts = settings.max_attempts
    retry.max_doublings = settings.max_doublings
    _put(retry.min_backoff, settings.min_backoff)
    _put(retry.max_backoff, settings.max_backoff)
    _put(retry.max_retry_duration, settings.max_retry_duration)
    return request


def _put(message: Message, value: timedelta) -> None:
    message.seconds, micros = divmod(value // _MICROSECOND, 1_000_000)
    message.nanos = micros * 1000
