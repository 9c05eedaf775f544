"""Short ways to say what a task is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.cloud import tasks_v2
from google.protobuf import duration_pb2


def task(
    url: str,
    *,
    name: str = "",
    body: bytes = b'{"a": 1}',
    method: int = tasks_v2.HttpMethod.POST,
    headers: dict[str, str] | None = None,
    after: float | None = None,
    deadline: float | None = None,
    oidc: tasks_v2.OidcToken | None = None,
    retry: tasks_v2.RetryConfig | None = None,
) -> tasks_v2.Task:
    """Return a task; ``after`` and ``deadline`` in seconds."""
    request = tasks_v2.HttpRequest(
        url=url,
        http_method=method,
        headers=headers or {"Content-Type": "application/json"},
        body=body,
        oidc_token=oidc,
    )
    return tasks_v2.Task(
        name=name,
        http_request=request,
        schedule_time=None if after is None else datetime.now(UTC) + timedelta(seconds=after),
        dispatch_deadline=None if deadline is None else seconds(deadline),
        retry_config=retry,
    )


def seconds(value: float) -> duration_pb2.Duration:
    """Return a Duration."""
    duration = duration_pb2.Duration()
    duration.FromTimedelta(timedelta(seconds=value))
    return duration


def retries(
    *, attempts: int = 0, first: float = 0.1, most: float = 1.0, doublings: int = 16, duration: float = 0.0
) -> tasks_v2.RetryConfig:
    """Return retry settings; times in seconds."""
    return tasks_v2.RetryConfig(
        max_attempts=attempts,
        min_backoff=seconds(first),
        max_backoff=seconds(most),
        max_doublings=doublings,
        max_retry_duration=seconds(duration) if duration else None,
    )
