"""Carry a recorded deployment out within a request, or hand it over to a task (decision 0006)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from shared.errors import PlatformError
from shared.model.deployment import WorkflowRow
from shared.services.deployments.lease import HeldLease, LeaseLost
from shared.services.deployments.queues import watchdog_task
from shared.services.deployments.run import run
from shared.services.deployments.work import Work
from shared.services.platform import Platform

STEP_SECONDS = 6.0
"""How long a step is given to end when a deployment is handed over; hosting ends the request soon after."""


@dataclass(frozen=True, slots=True)
class Carried:
    """How far a deployment came: ``deployed``, ``failed``, or ``pending`` when a task goes on.

    ``rows`` are the workflows that are now in n8n.
    """

    status: str
    rows: list[WorkflowRow]
    error: str | None = None


async def book_watchdog(platform: Platform, deployment_id: str, now: datetime, name: str) -> None:
    """Book the task that takes a deployment over should its worker die; to be done before it is recorded."""
    await platform.queue.create(watchdog_task(deployment_id, now + platform.settings.deploy_lease, name))


async def carry(platform: Platform, work: Work, lease: HeldLease) -> Carried:
    """Bring a deployment into n8n, as far as the time of a request allows."""
    carrying = asyncio.create_task(run(platform, work, lease))
    done, _ = await asyncio.wait({carrying}, timeout=platform.settings.deploy_answer_after.total_seconds())
    return _ended(work, carrying) if done else await _hand_over(platform, work, lease, carrying)


async def _hand_over(
    platform: Platform, work: Work, lease: HeldLease, carrying: asyncio.Task[list[WorkflowRow]]
) -> Carried:
    """Stop here, between two steps that may be repeated, and let a task go on at once."""
    lease.give_up()
    # A call that is cut off may still create something in n8n, unseen by the one who goes on.
    done, _ = await asyncio.wait({carrying}, timeout=STEP_SECONDS)
    if not done:
        carrying.cancel()
        await asyncio.wait({carrying})
    ended = _ended(work, carrying)
    if ended.status == "pending":
        # Lost means that the last write got through while it was cancelled: there is nothing to go on with.
        with suppress(LeaseLost):
            await lease.write({"lease": None})
            now, name = platform.sources.now(), f"continue-{lease.holder}"
            await platform.queue.create(watchdog_task(work.deployment_id, now, name))
    return ended


def _ended(work: Work, carrying: asyncio.Task[list[WorkflowRow]]) -> Carried:
    try:
        return Carried("deployed", carrying.result())
    except (LeaseLost, asyncio.CancelledError):
        return Carried("pending", work.live)
    except PlatformError as error:
        return Carried("failed", work.live, error.message)
