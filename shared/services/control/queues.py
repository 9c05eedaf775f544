"""The queue and the tasks of control: stopping runs in n8n, and the pages of what is done to many."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson

from shared.tasks.spec import QueueSettings, TaskSpec

CONTROL = "control"

SETTINGS = QueueSettings(
    CONTROL,
    max_dispatches_per_second=50,
    max_concurrent_dispatches=10,
    max_attempts=-1,
    min_backoff=timedelta(seconds=1),
    max_backoff=timedelta(seconds=30),
    max_doublings=5,
)
"""n8n is asked as gently as a supervisor asks it; what cannot be stopped yet is tried again."""


def stop_task(process_instance_id: str, execution_id: str, at: datetime) -> TaskSpec:
    """Return the task that stops a cancelled run in n8n. It needs no name: a second one finds it stopped."""
    body = {"processInstanceId": process_instance_id, "executionId": execution_id}
    return TaskSpec(CONTROL, "/stopexecution", orjson.dumps(body), schedule_time=at)


def page_task(process_instance_id: str, job_id: str, page: int, at: datetime | None = None) -> TaskSpec:
    """Return the task of one page of a job. It needs no name: only the page a job has come to is done."""
    body = {"processInstanceId": process_instance_id, "jobId": job_id, "page": page}
    return TaskSpec(CONTROL, "/controlexecutions", orjson.dumps(body), schedule_time=at)
