"""The queues and task names of a run's life."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import orjson

from shared.errors import Internal
from shared.tasks.queue import Queue
from shared.tasks.spec import TaskSpec

DISPATCH = "dispatch"
SUPERVISE = "supervise"

INLINE_LIMIT = 512 * 1024
"""Bytes of payload a task carries itself; Cloud Tasks takes 1 MB per task."""


def dispatch_task(
    process_instance_id: str, execution_id: str, call: Mapping[str, object], at: datetime | None = None
) -> TaskSpec:
    """Return the task that sends a run into n8n. It needs no name: a second one finds the run claimed."""
    body = orjson.dumps({"processInstanceId": process_instance_id, "executionId": execution_id, **call})
    return TaskSpec(
        queue=DISPATCH,
        path="/dispatchexecution",
        body=body,
        schedule_time=at,
        deadline=timedelta(minutes=2),
    )


def supervise_task(
    process_instance_id: str, execution_id: str, at: datetime, round_: int, missed: datetime | None = None
) -> TaskSpec:
    """Return the task of the n-th look at a run that has not reported by ``at``.

    ``missed`` is when the run was sent that n8n had no trace of at the look before.
    """
    name = supervise_name(execution_id, round_)
    return _look(process_instance_id, execution_id, at, round_, name, missed)


def settle_task(process_instance_id: str, execution_id: str, at: datetime) -> TaskSpec:
    """Return the task of an early look at a run whose webhook call ended badly."""
    return _look(process_instance_id, execution_id, at, 0, f"settle-{execution_id}")


async def forget(queue: Queue, execution_id: str) -> None:
    """Take back the look at a run that has ended. A look that stays finds nothing to do."""
    with suppress(Internal):
        await queue.delete(SUPERVISE, supervise_name(execution_id, 0))


def supervise_name(execution_id: str, round_: int) -> str:
    """Return the name of the n-th look at a run."""
    return f"supervise-{execution_id}-{round_}"


def _look(
    process_instance_id: str,
    execution_id: str,
    at: datetime,
    round_: int,
    name: str,
    missed: datetime | None = None,
) -> TaskSpec:
    body = {
        "processInstanceId": process_instance_id,
        "executionId": execution_id,
        "round": round_,
        "missed": missed,
    }
    return TaskSpec(
        queue=SUPERVISE,
        path="/superviseexecution",
        body=orjson.dumps(body),
        name=name,
        schedule_time=at,
    )
