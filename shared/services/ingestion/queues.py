"""The tasks of a data ingestion."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson

from shared.services.deployments.queues import DEPLOY
from shared.tasks.spec import TaskSpec


def watchdog_task(data_ingestion_id: str, at: datetime, name: str) -> TaskSpec:
    """Return the task that takes a data ingestion over when its worker is gone by ``at``."""
    return TaskSpec(
        queue=DEPLOY,
        path="/resumedataingestion",
        body=orjson.dumps({"dataIngestionId": data_ingestion_id}),
        name=f"ingestion-{data_ingestion_id}-{name}",
        schedule_time=at,
        deadline=timedelta(minutes=10),
    )
