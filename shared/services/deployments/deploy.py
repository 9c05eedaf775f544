"""Deploy a use case: record one immutable version, then bring it into n8n (platform §11.1).

The version, its process, instance and deployment become visible in one commit, together with the lease
of the worker that goes on to materialise it. A watchdog task, booked before that commit, takes over
should the worker die. Past the answer limit the same task continues and the answer is ``pending``.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from shared.errors import PlatformError
from shared.model.apikey import ApiKey
from shared.model.deployment import WorkflowRow
from shared.model.document import Document
from shared.services.deployments.lease import HeldLease, LeaseLost
from shared.services.deployments.plan import Plan, Submission, plan_deployment, storage_path
from shared.services.deployments.queues import watchdog_task
from shared.services.deployments.record import record
from shared.services.deployments.run import run
from shared.services.deployments.work import Work
from shared.services.faults import point
from shared.services.platform import Platform

STEP_SECONDS = 6.0
"""How long a step is given to end when a deploy is handed over; hosting ends the request soon after."""


class DeployedWorkflow(Document):
    """One workflow of the deployment."""

    workflow_template_id: str
    n8n_workflow_id: str
    status: str


class StoredDocument(Document):
    """What became of one source file."""

    relative_path: str
    storage_path: str
    success: bool
    error: str | None = None


class Deployed(Document):
    """The answer to a deploy (api §5.8)."""

    template_id: str
    version: str
    is_new_process: bool
    process_id: str
    process_instance_id: str
    deployment_instance_id: str
    workflows_deployed: list[DeployedWorkflow]
    deployment_status: str
    error: str | None = None
    metadata_documents_stored: list[StoredDocument] | None = None


async def deploy(platform: Platform, key: ApiKey, sent: Submission) -> Deployed:
    """Deploy a use case as its project's next version.

    A failure in n8n is an answer with ``deploymentStatus`` ``failed``, since the version exists.

    Raises:
        NotFound (``PROJECT_NOT_FOUND``), Forbidden, InvalidConfiguration, InvalidWorkflowJson,
        InvalidVersion, Conflict (``DEPLOYMENT_IN_PROGRESS``): nothing was recorded.
    """
    plan = await plan_deployment(platform, key, sent)
    now = platform.sources.now()
    at = now + platform.settings.deploy_lease
    await platform.queue.create(watchdog_task(plan.deployment_id, at, "watchdog"))
    point("deploy.booked")
    lease, work = await record(platform, plan)
    point("deploy.recorded_pending")
    carrying = asyncio.create_task(run(platform, work, lease))
    done, _ = await asyncio.wait({carrying}, timeout=platform.settings.deploy_answer_after.total_seconds())
    if not done:
        return await _hand_over(platform, plan, work, lease, carrying)
    return _ended(plan, work, carrying)


async def _hand_over(
    platform: Platform, plan: Plan, work: Work, lease: HeldLease, carrying: asyncio.Task[list[WorkflowRow]]
) -> Deployed:
    """Stop here, between two steps that may be repeated, and let a task go on at once."""
    lease.give_up()
    # A call that is cut off may still create something in n8n, unseen by the one who goes on.
    done, _ = await asyncio.wait({carrying}, timeout=STEP_SECONDS)
    if not done:
        carrying.cancel()
        await asyncio.wait({carrying})
    answer = _ended(plan, work, carrying)
    if answer.deployment_status == "pending":
        # Lost means that the last write got through while it was cancelled: there is nothing to go on with.
        with suppress(LeaseLost):
            await lease.write({"lease": None})
            now = platform.sources.now()
            await platform.queue.create(watchdog_task(plan.deployment_id, now, "continue"))
    return answer


def _ended(plan: Plan, work: Work, carrying: asyncio.Task[list[WorkflowRow]]) -> Deployed:
    try:
        return _answer(plan, "deployed", carrying.result())
    except (LeaseLost, asyncio.CancelledError):
        return _answer(plan, "pending", work.live)
    except PlatformError as error:
        return _answer(plan, "failed", work.live, error.message)


def _answer(plan: Plan, status: str, rows: list[WorkflowRow], error: str | None = None) -> Deployed:
    by_id = {row.workflow_id: row for row in rows}
    workflows: list[DeployedWorkflow] = []
    for workflow in plan.configuration.workflows:
        row = by_id.get(workflow.workflow_template_id)
        is_new_version = status == "deployed"
        workflows.append(
            DeployedWorkflow(
                workflow_template_id=workflow.workflow_template_id,
                n8n_workflow_id=(row.n8n_workflow_id if row else None) or "",
                status="active" if row and is_new_version else "failed" if status == "failed" else "inactive",
            )
        )
    return Deployed(
        template_id=plan.template_id,
        version=str(plan.version),
        is_new_process=plan.process is None,
        process_id=plan.process_id,
        process_instance_id=plan.instance_id,
        deployment_instance_id=plan.deployment_id,
        workflows_deployed=workflows,
        deployment_status=status,
        error=error,
        metadata_documents_stored=[
            StoredDocument(
                relative_path=stored.relative_path,
                storage_path=storage_path(plan.template_id, stored),
                success=stored.error is None,
                error=stored.error,
            )
            for stored in plan.documents
        ]
        or None,
    )
