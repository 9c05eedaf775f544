"""The task of a switch."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import orjson

from shared.errors import Internal
from shared.services.deployments.queues import DEPLOY
from shared.tasks.queue import Queue
from shared.tasks.spec import TaskSpec


def look_task(process_instance_id: str, name: str, at: datetime) -> TaskSpec:
    """Return the task that completes a switch whose worker is gone by ``at``."""
    return TaskSpec(
        queue=DEPLOY,
        path="/settleinstanceswitch",
        body=orjson.dumps({"processInstanceId": process_instance_id}),
        name=name,
        schedule_time=at,
        deadline=timedelta(minutes=5),
    )


async def take_back(queue: Queue, name: str) -> None:
    """Remove the task of a switch that is done. One that stays finds nothing to do."""
    with suppress(Internal):
        await queue.delete(DEPLOY, name)
