"""Something that is done to many runs of one installation, a page of them at a time (decision 0028)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document
from shared.model.execution import ExecutionStatus


class JobAction(StrEnum):
    """What is done to each run."""

    CANCEL = "cancel"
    RETRY = "retry"
    REPLAY = "replay"


class JobStatus(StrEnum):
    """How far a job is. All but ``running`` are final."""

    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Selection(Document):
    """Which runs are meant: conditions that combine, or the runs that are named.

    ``since`` is included, ``until`` is not.
    """

    workflow_id: str | None = None
    status: ExecutionStatus | None = None
    error_type: str | None = None
    error_code: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    execution_ids: list[str] | None = None


class ExecutionJob(Document):
    """A job. ``page`` is the one it has come to; ``last_*`` are of the last run of the page before.

    ``done``, ``skipped`` and ``failed`` count runs; ``reasons`` says by error code why some failed.
    """

    organization_id: str
    process_instance_id: str
    action: JobAction
    selection: Selection
    total: int
    status: JobStatus = JobStatus.RUNNING
    page: int = 0
    last_created_at: datetime | None = None
    last_execution_id: str | None = None
    done: int = 0
    skipped: int = 0
    failed: int = 0
    reasons: dict[str, int] = {}
    caller_key_id: str | None = None
    created_at: datetime
    ended_at: datetime | None = None
    expire_at: datetime
