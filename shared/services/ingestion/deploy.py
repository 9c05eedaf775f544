"""Deploy a process's data ingestion: record a version, then make it the one that answers (api §5.12).

As with use cases (decision 0006): a watchdog task is booked before the record, which carries the lease of
the worker that goes on. Past the answer limit a task continues and the answer is ``pending``.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from shared.model.apikey import ApiKey
from shared.model.document import Document
from shared.model.ingestion import IngestionStatus, WebhookUrls
from shared.services.deployments.carry import STEP_SECONDS
from shared.services.deployments.lease import HeldLease, LeaseLost
from shared.services.faults import point
from shared.services.ingestion.plan import InProgress, Submission, plan_ingestion
from shared.services.ingestion.queues import watchdog_task
from shared.services.ingestion.record import Overtaken, record
from shared.services.ingestion.run import run
from shared.services.ingestion.work import Work
from shared.services.platform import Platform

_TRIES = 5
"""A use case that is deployed at the same time changes the process under us."""


class DeployedIngestion(Document):
    """The answer to a deploy (api §5.12)."""

    data_ingestion_id: str
    version: str
    status: str
    webhook_urls: WebhookUrls


async def deploy_ingestion(platform: Platform, key: ApiKey, sent: Submission) -> DeployedIngestion:
    """Deploy a data ingestion as its process's next version.

    Raises:
        NotFound (``PROJECT_NOT_FOUND``), Forbidden, InvalidConfiguration, InvalidWorkflowJson,
        InvalidVersion, Conflict (``DEPLOYMENT_IN_PROGRESS``): nothing was recorded.
        UpstreamError: n8n refused or is down; what was active still is.
    """
    lease, work = await _recorded(platform, key, sent)
    point("ingestion.recorded_pending")
    carrying = asyncio.create_task(run(platform, work, lease))
    done, _ = await asyncio.wait({carrying}, timeout=platform.settings.deploy_answer_after.total_seconds())
    if not done:
        await _hand_over(platform, work, lease, carrying)
    return _answer(work, carrying)


async def _recorded(platform: Platform, key: ApiKey, sent: Submission) -> tuple[HeldLease, Work]:
    for _ in range(_TRIES):
        plan = await plan_ingestion(platform, key, sent)
        at = platform.sources.now() + platform.settings.deploy_lease
        await platform.queue.create(watchdog_task(plan.ingestion.data_ingestion_id, at, "watchdog"))
        point("ingestion.booked")
        with suppress(Overtaken):
            return await record(platform, plan)
    raise InProgress


async def _hand_over(platform: Platform, work: Work, lease: HeldLease, carrying: asyncio.Task[None]) -> None:
    """Stop here, between two steps that may be repeated, and let a task go on at once."""
    lease.give_up()
    # A call that is cut off may still create something in n8n, unseen by the one who goes on.
    done, _ = await asyncio.wait({carrying}, timeout=STEP_SECONDS)
    if not done:
        carrying.cancel()
        await asyncio.wait({carrying})
    if _is_pending(carrying):
        # Lost means that the last write got through while it was cancelled: there is nothing to go on with.
        with suppress(LeaseLost):
            await lease.write({"lease": None})
            await platform.queue.create(watchdog_task(work.id, platform.sources.now(), "continue"))


def _is_pending(carrying: asyncio.Task[None]) -> bool:
    return carrying.cancelled() or isinstance(carrying.exception(), LeaseLost)


def _answer(work: Work, carrying: asyncio.Task[None]) -> DeployedIngestion:
    pending = _is_pending(carrying)
    if not pending:
        carrying.result()
    return DeployedIngestion(
        data_ingestion_id=work.id,
        version=work.ingestion.version,
        status=(IngestionStatus.PENDING if pending else IngestionStatus.ACTIVE).value,
        webhook_urls=work.ingestion.webhook_urls,
    )
