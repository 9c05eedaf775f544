"""The task of an uninstallation."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson

from shared.services.deployments.queues import DEPLOY
from shared.tasks.spec import TaskSpec


def removal_task(process_instance_id: str, name: str, at: datetime) -> TaskSpec:
    """Return the task that completes an uninstallation whose worker is gone by ``at``."""
    return TaskSpec(
        queue=DEPLOY,
        path="/finishuninstallation",
        body=orjson.dumps({"processInstanceId": process_instance_id}),
        name=name,
        schedule_time=at,
        deadline=timedelta(minutes=5),
    )
