"""One attempt: a task becomes an HTTP request, the response an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from google.cloud.tasks_v2.types import target
from google.cloud.tasks_v2.types import task as task_types
from google.protobuf.message import Message

from infra.local.tasks.identity import Identity
from infra.local.tasks.task_store import Answer, StoredTask
from infra.local.tasks.times import SECOND, Clock

Task = task_types.Task.pb()
_METHOD_FIELD = target.HttpRequest.pb().DESCRIPTOR.fields_by_name["http_method"]
METHODS: Mapping[int, str] = {value.number: value.name for value in _METHOD_FIELD.enum_type.values[1:]}

USER_AGENT = "Google-Cloud-Tasks"
RESERVED_PREFIXES = ("x-cloudtasks-", "x-google-", "x-appengine-")
RESERVED_HEADERS = frozenset({"host", "content-length", "user-agent", "transfer-encoding", "connection"})

# Shorter than the keep-alive of common servers (gunicorn 2 s, uvicorn 5 s): a connection the other side
# is just closing would cost an attempt.
KEEP_ALIVE_SECONDS = 1.5
READ_BYTES = 65536
LONGEST_RETRY_AFTER = 3600

OK, UNKNOWN, DEADLINE_EXCEEDED, UNAVAILABLE = 0, 2, 4, 14
_CODES: Mapping[int, int] = {
    HTTPStatus.BAD_REQUEST: 3,
    HTTPStatus.UNAUTHORIZED: 16,
    HTTPStatus.FORBIDDEN: 7,
    HTTPStatus.NOT_FOUND: 5,
    HTTPStatus.CONFLICT: 10,
    HTTPStatus.TOO_MANY_REQUESTS: 8,
    HTTPStatus.INTERNAL_SERVER_ERROR: 13,
    HTTPStatus.NOT_IMPLEMENTED: 12,
    HTTPStatus.SERVICE_UNAVAILABLE: UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: DEADLINE_EXCEEDED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an attempt; ``retry_after`` is what the worker asked for, in microseconds."""

    answer: Answer
    retry_after: int = 0

    @property
    def succeeded(self) -> bool:
        """True for a status from 200 to 299."""
        return self.answer.code == OK


class Courier:
    """Delivers tasks over kept-alive connections; open it inside the running event loop."""

    def __init__(self, identity: Identity, clock: Clock) -> None:
        self._identity = identity
        self._clock = clock
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )

    async def deliver(self, queue: str, task: StoredTask) -> Outcome:
        """Make one attempt and return how it ended; raises only when cancelled."""
        request = Task.FromString(task.content).http_request
        try:
            async with self._session.request(
                METHODS[request.http_method],
                request.url,
                data=request.body or None,
                headers=self._headers(queue, task, request),
                timeout=aiohttp.ClientTimeout(total=task.deadline / SECOND),
                allow_redirects=False,
            ) as response:
                while await response.content.read(READ_BYTES):
                    pass
                return self._answered(response)
        except TimeoutError:
            return self._unanswered(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED(4): no response in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._unanswered(UNAVAILABLE, f"UNAVAILABLE(14): {type(error).__name__}")

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    def _headers(self, queue: str, task: StoredTask, request: Message) -> dict[str, str]:
        headers = {name: value for name, value in request.headers.items() if not reserved(name)}
        headers["User-Agent"] = USER_AGENT
        headers["X-CloudTasks-QueueName"] = queue
        headers["X-CloudTasks-TaskName"] = task.name
        headers["X-CloudTasks-TaskRetryCount"] = str(task.dispatches - 1)
        headers["X-CloudTasks-TaskExecutionCount"] = str(task.executions)
        headers["X-CloudTasks-TaskETA"] = f"{task.eta / SECOND:.6f}"
        if task.last_status:
            headers["X-CloudTasks-TaskPreviousResponse"] = str(task.last_status)
        if task.last_message:
            headers["X-CloudTasks-TaskRetryReason"] = task.last_message
        if request.HasField("oidc_token"):
            oidc = request.oidc_token
            token = self._identity.token(oidc.service_account_email, oidc.audience or request.url)
            for name in [name for name in headers if name.lower() == "authorization"]:
                del headers[name]
            headers["Authorization"] = f"Bearer {token}"
        return headers

    def _answered(self, response: aiohttp.ClientResponse) -> Outcome:
        status = response.status
        if 200 <= status < 300:
            return Outcome(Answer(self._clock(), status, OK, ""))
        code = _CODES.get(status, UNKNOWN)
        asked = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
        return Outcome(
            Answer(self._clock(), status, code, f"HTTP status code {status}"),
            retry_after(response.headers.get("Retry-After", "")) if asked else 0,
        )

    def _unanswered(self, code: int, message: str) -> Outcome:
        return Outcome(Answer(self._clock(), 0, code, message))


def reserved(header: str) -> bool:
    """Tell whether a header is set by the queue and never by the task."""
    name = header.lower()
    return name in RESERVED_HEADERS or name.startswith(RESERVED_PREFIXES)


def retry_after(value: str) -> int:
    """Return the delay a Retry-After header asks for in microseconds, at most an hour; dates count as 0."""
    try:
        seconds = float(value)
    except ValueError:
        return 0
    return round(min(seconds, LONGEST_RETRY_AFTER) * SECOND) if math.isfinite(seconds) and seconds > 0 else 0
