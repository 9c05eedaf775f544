"""From the wire to a row and back: checks on a new task, and the views of a stored one."""

from __future__ import annotations

import random

import yarl
from google.cloud.tasks_v2.types import task as task_types
from google.protobuf.message import Message

from infra.local.tasks import names
from infra.local.tasks.backoff import RetryPolicy
from infra.local.tasks.delivery import METHODS, Task
from infra.local.tasks.limits import (
    DEFAULT_DEADLINE,
    MAX_AHEAD,
    MAX_DEADLINE,
    MAX_HEADER_BYTES,
    MAX_TASK_BYTES,
    MAX_URL_CHARACTERS,
    Limits,
)
from infra.local.tasks.rpc import invalid, unsupported
from infra.local.tasks.task_store import StoredTask
from infra.local.tasks.times import SECOND, micros, put

BASIC = int(task_types.Task.View.BASIC)
FULL = int(task_types.Task.View.FULL)
POST = 1
_WITH_BODY = {"POST", "PUT", "PATCH"}


def accepted(queue: str, queue_id: int, message: Message, now: int, limits: Limits) -> StoredTask:
    """Return the row for a new task; raises :class:`Refusal` (INVALID_ARGUMENT, UNIMPLEMENTED)."""
    if message.ByteSize() > MAX_TASK_BYTES:
        raise invalid(f"Task size too large: at most {MAX_TASK_BYTES} bytes.")
    eta = max(now, micros(message.schedule_time)) if message.HasField("schedule_time") else now
    if eta - now > MAX_AHEAD:
        raise invalid("Task.schedule_time is too far in the future: at most 30 days.")
    content = Task(http_request=_http_request(message))
    if message.HasField("retry_config"):
        RetryPolicy().overridden(message.retry_config)
        content.retry_config.CopyFrom(message.retry_config)
    return StoredTask(
        id=0,
        queue_id=queue_id,
        name=_short_name(queue, message.name),
        named=bool(message.name),
        content=content.SerializeToString(),
        created=now,
        eta=eta,
        deadline=_deadline(message, limits),
    )


def rendered(queue: str, task: StoredTask, view: int) -> Message:
    """Return the Task message in the asked view; all but FULL leave the body out."""
    message = Task.FromString(task.content)
    message.name = f"{queue}/tasks/{task.name}"
    message.view = FULL if view == FULL else BASIC
    if view != FULL:
        message.http_request.ClearField("body")
    put(message.schedule_time, task.eta)
    put(message.create_time, task.created - task.created % SECOND)
    put(message.dispatch_deadline, task.deadline)
    message.dispatch_count = task.dispatches
    message.response_count = task.responses
    if task.dispatches:
        put(message.first_attempt.dispatch_time, task.first_dispatch)
        _last_attempt(message.last_attempt, task)
    return message


def _last_attempt(attempt: Message, task: StoredTask) -> None:
    put(attempt.schedule_time, task.last_eta)
    put(attempt.dispatch_time, task.last_dispatch)
    if task.last_response > task.last_dispatch:
        put(attempt.response_time, task.last_response)
    if task.last_code:
        attempt.response_status.code = task.last_code
        attempt.response_status.message = task.last_message


def _short_name(queue: str, name: str) -> str:
    if not name:
        return str(random.SystemRandom().randrange(10**18, 10**19))
    owner, short = names.task(name)
    if owner != queue:
        raise invalid("Task.name must begin with the name of the queue it is created in.")
    return short


def _deadline(message: Message, limits: Limits) -> int:
    deadline = micros(message.dispatch_deadline)
    if not deadline:
        return DEFAULT_DEADLINE
    if not limits.min_deadline <= deadline <= MAX_DEADLINE:
        raise invalid("Task.dispatch_deadline must be between 15 seconds and 30 minutes.")
    return deadline - deadline % 1000


def _http_request(message: Message) -> Message:
    if message.HasField("app_engine_http_request"):
        raise unsupported("App Engine tasks are not supported by the local queue.")
    request = message.http_request
    _check_url(request.url)
    request.http_method = request.http_method or POST
    method = METHODS.get(request.http_method)
    if method is None:
        raise invalid("HttpRequest.http_method is unknown.")
    if request.body and method not in _WITH_BODY:
        raise invalid("HttpRequest.body is allowed for POST, PUT and PATCH only.")
    _check_headers(request)
    if request.HasField("oauth_token"):
        raise unsupported("OAuth tokens are not supported by the local queue; use oidc_token.")
    if request.HasField("oidc_token") and not request.oidc_token.service_account_email:
        raise invalid("OidcToken.service_account_email is required.")
    return request


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise invalid("HttpRequest.url must begin with http:// or https://.")
    try:
        parsed = yarl.URL(url)
    except ValueError:
        raise invalid("HttpRequest.url is malformed.") from None
    if not parsed.host or len(str(parsed)) > MAX_URL_CHARACTERS:
        raise invalid(f"HttpRequest.url needs a host and at most {MAX_URL_CHARACTERS} characters.")


def _check_headers(request: Message) -> None:
    total = 0
    for name, value in request.headers.items():
        total += len(name) + len(value)
        if not name.isascii() or not name or any(c in "\r\n\0: " for c in name):
            raise invalid("HttpRequest.headers holds a malformed name.")
        if any(c in "\r\n\0" for c in value):
            raise invalid("HttpRequest.headers holds a value with a line break.")
    if total > MAX_HEADER_BYTES:
        raise invalid(f"HttpRequest.headers are too large: at most {MAX_HEADER_BYTES} bytes.")
