"""n8n's own account of its runs."""

from __future__ import annotations

import asyncio
from datetime import datetime

import orjson

from bench.api import CallFailed
from bench.session import Session


async def milliseconds_of(session: Session, n8n_execution_id: str) -> float:
    """Return how long n8n says a run took, from ``startedAt`` to ``stoppedAt``.

    Raises:
        CallFailed: n8n says after five seconds that it still runs.
    """
    url = f"{session.n8n_url}/api/v1/executions/{n8n_execution_id}"
    # Its result is known before n8n has written down that it ended.
    for _ in range(50):
        async with session.http.get(url, headers=session.n8n_headers) as answer:
            answer.raise_for_status()
            run = orjson.loads(await answer.read())
        if run.get("stoppedAt"):
            took = datetime.fromisoformat(run["stoppedAt"]) - datetime.fromisoformat(run["startedAt"])
            return took.total_seconds() * 1000
        await asyncio.sleep(0.1)
    raise CallFailed(f"n8n still runs execution {n8n_execution_id}")
