"""Deploy a use case: record one immutable version, then bring it into n8n (platform §11.1).

The version, its process, instance and deployment become visible in one commit, together with the lease
of the worker that goes on to materialise it. A watchdog task, booked before that commit, takes over
should the worker die. Past the answer limit the same task continues and the answer is ``pending``.
"""

from __future__ import annotations

from shared.model.apikey import ApiKey
from shared.model.deployment import WorkflowRow
from shared.model.document import Document
from shared.services.deployments.carry import Carried, book_watchdog, carry
from shared.services.deployments.plan import Plan, Submission, plan_deployment, storage_path
from shared.services.deployments.record import record
from shared.services.faults import point
from shared.services.platform import Platform


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
    await book_watchdog(platform, plan.deployment_id, platform.sources.now(), "watchdog")
    point("deploy.booked")
    lease, work = await record(platform, plan)
    point("deploy.recorded_pending")
    return _answer(plan, await carry(platform, work, lease))


def _answer(plan: Plan, carried: Carried) -> Deployed:
    by_id = {row.workflow_id: row for row in carried.rows}
    workflows: list[DeployedWorkflow] = []
    for workflow in plan.configuration.workflows:
        row = by_id.get(workflow.workflow_template_id)
        workflows.append(
            DeployedWorkflow(
                workflow_template_id=workflow.workflow_template_id,
                n8n_workflow_id=(row.n8n_workflow_id if row else None) or "",
                status=_status(carried, row),
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
        deployment_status=carried.status,
        error=carried.error,
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


def _status(carried: Carried, row: WorkflowRow | None) -> str:
    if carried.status == "failed":
        return "failed"
    runs = carried.status == "deployed" and row is not None and row.n8n_workflow_is_active
    return "active" if runs else "inactive"
