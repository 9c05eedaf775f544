"""The platform's task queues, held and looked at from outside."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from google.cloud.tasks_v2.types import cloudtasks

from bench.session import Session
from shared.services.runs.lanes import lane_of
from shared.tasks.channel import TaskChannel

_PauseQueue = cloudtasks.PauseQueueRequest.pb()
_ResumeQueue = cloudtasks.ResumeQueueRequest.pb()


@asynccontextmanager
async def held(session: Session) -> AsyncIterator[None]:
    """Deliver no dispatch task while the block runs."""
    settings = session.platform.settings
    lane = lane_of(session.organization_id, settings.dispatch_lanes)
    name = f"projects/{settings.project}/locations/{settings.location}/queues/{lane}"
    channel = TaskChannel(settings.tasks_endpoint)
    try:
        await channel.call("PauseQueue", _PauseQueue(name=name), f"name={name}")
        try:
            yield
        finally:
            await channel.call("ResumeQueue", _ResumeQueue(name=name), f"name={name}")
    finally:
        await channel.close()


def created_so_far(session: Session) -> int:
    """Return how many tasks were ever created: the queue server numbers them."""
    path = session.stack.state / "data" / "tasks.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tasks'").fetchone()
    return 0 if row is None else int(row[0])
