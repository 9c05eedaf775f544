"""The queues and tasks of rollouts.

Updates wait in the queue of the n8n they are for: what one n8n bears does not slow another one down.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

import orjson

from shared.tasks.spec import QueueSettings, TaskSpec

ROLLOUTS = "rollouts"
"""Plans and closes; it calls no n8n."""

OWN_N8N = "update-own"
"""Updates of organizations that brought an n8n of their own."""

UPDATES_AT_ONCE = 10
"""What one n8n bears: each update is a dozen calls, and a switch of its webhooks."""

_FITTING = re.compile(r"[A-Za-z0-9-]{1,80}")


def update_queue(backend_id: str, *, self_hosted: bool) -> str:
    """Return the queue of the updates on an n8n."""
    if self_hosted:
        return OWN_N8N
    digest = hashlib.sha256(backend_id.encode()).hexdigest()
    fits = _FITTING.fullmatch(backend_id) and backend_id != "own"
    return f"update-{backend_id if fits else digest}"


def update_settings(queue: str, at_once: int = UPDATES_AT_ONCE) -> QueueSettings:
    """Return how fast a queue of updates may go; an update is tried until its target has ended."""
    return QueueSettings(
        queue,
        max_dispatches_per_second=50,
        max_concurrent_dispatches=at_once,
        max_attempts=-1,
        min_backoff=timedelta(seconds=1),
        max_backoff=timedelta(seconds=30),
        max_doublings=5,
    )


def plan_task(rollout_id: str, attempt: int, after: str | None, at: datetime | None = None) -> TaskSpec:
    """Return the task that plans the page of installations after one of them."""
    body = {"rolloutId": rollout_id, "attempt": attempt, "after": after}
    name = f"plan-{rollout_id}-{attempt}-{after or 'start'}"
    return _task(ROLLOUTS, "/planrollout", name, body, at)


def close_task(rollout_id: str, attempt: int, turn: int, stalls: int, left: int, at: datetime) -> TaskSpec:
    """Return the task that looks whether a rollout is over."""
    body = {"rolloutId": rollout_id, "attempt": attempt, "turn": turn, "stalls": stalls, "left": left}
    return _task(ROLLOUTS, "/closerollout", f"close-{rollout_id}-{attempt}-{turn}", body, at)


def sweep_task(rollout_id: str, attempt: int) -> TaskSpec:
    """Return the task that cancels what a cancelled rollout has not begun."""
    body = {"rolloutId": rollout_id, "attempt": attempt}
    return _task(ROLLOUTS, "/closerollout", f"sweep-{rollout_id}-{attempt}", body)


def update_task(queue: str, rollout_id: str, process_instance_id: str, attempt: str) -> TaskSpec:
    """Return the task that updates one installation; one per ``attempt``."""
    body = {"rolloutId": rollout_id, "processInstanceId": process_instance_id}
    name = f"update-{rollout_id}-{process_instance_id}-{attempt}"
    return _task(queue, "/updateinstallation", name, body)


def _task(queue: str, path: str, name: str, body: object, at: datetime | None = None) -> TaskSpec:
    return TaskSpec(
        queue=queue,
        path=path,
        body=orjson.dumps(body),
        name=name,
        schedule_time=at,
        deadline=timedelta(minutes=10),
    )
