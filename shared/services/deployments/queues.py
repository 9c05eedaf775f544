"""The tasks of a deployment."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson

from shared.tasks.spec import TaskSpec

DEPLOY = "deploy"


def watchdog_task(deployment_instance_id: str, at: datetime, name: str) -> TaskSpec:
    """Return the task that takes a deployment over when its worker is gone by ``at``."""
    return TaskSpec(
        queue=DEPLOY,
        path="/resumedeployment",
        body=orjson.dumps({"deploymentInstanceId": deployment_instance_id}),
        name=f"deploy-{deployment_instance_id}-{name}",
        schedule_time=at,
        deadline=timedelta(minutes=10),
    )
