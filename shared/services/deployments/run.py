"""Carry one deployment out under its lease, and record how it ended."""

from __future__ import annotations

import orjson

from shared.errors import PlatformError
from shared.model.configuration import FormItem, HttpTrigger, ScheduleTrigger, Workflow
from shared.model.deployment import DeploymentStatus, N8nWorkflowOwner, WorkflowRow
from shared.model.endpoint import Endpoint, TriggerTarget
from shared.model.instance import InactiveReason
from shared.model.project import CurrentDeployment
from shared.n8n.client import N8nClient
from shared.placeholders import Values, resolve
from shared.services.deployments.bodies import MissingIntegrations
from shared.services.deployments.lease import HeldLease
from shared.services.deployments.materialise import materialise
from shared.services.deployments.values import values_of
from shared.services.deployments.work import Work
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.secrets import backend_api_key, open_text
from shared.store import refs
from shared.store.store import Delete, Patch, Put, Write


async def run(platform: Platform, work: Work, lease: HeldLease) -> list[WorkflowRow]:
    """Materialise a deployment and record the outcome; return its workflows.

    Raises:
        PlatformError: the deployment failed and is recorded as failed; what was live still is.
        LeaseLost: another worker has it; nothing was recorded.
    """
    point("deploy.started")
    try:
        async with lease.kept():
            rows = await materialise(platform, work, await _client(platform, work))
            writes = await _live_writes(platform, work, rows)
    except PlatformError as error:
        await record_failure(platform, work, lease, error)
        raise
    await lease.write(
        {
            "deployment_status": DeploymentStatus.DEPLOYED,
            "workflows": rows,
            "completed_at": platform.sources.now(),
            "error": None,
            "error_code": None,
            "lease": None,
        },
        *writes,
    )
    point("deploy.recorded")
    return rows


async def _client(platform: Platform, work: Work) -> N8nClient:
    backend_id = work.tenant.organization.backend_id
    api_key = await open_text(platform, work.tenant.backend.api_key, backend_api_key(backend_id))
    return platform.n8n.client(work.tenant.backend.base_url, api_key)


async def _live_writes(platform: Platform, work: Work, rows: list[WorkflowRow]) -> list[Write]:
    """Return what makes the new version the one that is triggered, in the commit that says deployed."""
    now = platform.sources.now()
    values = await values_of(platform, work)
    instance_id, organization_id = work.instance_id, work.tenant.organization_id
    kept = {row.workflow_id for row in rows}
    writes: list[Write] = [
        Patch(
            refs.instance(instance_id),
            {
                "is_active": True,
                "inactive_reason": None,
                "current_version": work.deployment.version,
                "live_deployment_instance_id": work.deployment_id,
            },
        ),
        Patch(
            refs.project(work.deployment.project_id),
            {
                "current_deployment": CurrentDeployment(version=work.deployment.version, deployed_at=now),
                "deploying": None,
                "deploying_until": None,
            },
        ),
    ]
    for row in rows:
        endpoint = _endpoint(work, row, values)
        writes.append(Put(refs.endpoint(instance_id, row.workflow_id), endpoint))
        owner = _owner(work, row, endpoint)
        writes.append(Put(refs.n8n_workflow(organization_id, endpoint.n8n_workflow_id), owner))
    for gone in (row for row in work.live if row.workflow_id not in kept):
        writes.append(Delete(refs.endpoint(instance_id, gone.workflow_id)))
        if gone.n8n_workflow_id:
            writes.append(Delete(refs.n8n_workflow(organization_id, gone.n8n_workflow_id)))
    return writes


def _endpoint(work: Work, row: WorkflowRow, values: Values) -> Endpoint:
    workflow = work.workflow(row.workflow_id)
    organization = work.tenant.organization
    trigger = _triggerable(workflow)
    schema = trigger.input_schema if isinstance(trigger, HttpTrigger) and trigger.strict_input else None
    return Endpoint(
        organization_id=work.tenant.organization_id,
        process_id=work.deployment.process_id,
        process_instance_id=work.instance_id,
        deployment_instance_id=work.deployment_id,
        version=work.deployment.version,
        environment=work.instance.environment,
        workflow_id=row.workflow_id,
        n8n_workflow_id=row.n8n_workflow_id or "",
        backend_id=organization.backend_id,
        is_active=True,
        trigger_types=[t.type for t in workflow.triggers],
        trigger_ids={t.type: t.trigger_id for t in reversed(workflow.triggers)},
        target=_target(trigger, values) if trigger else None,
        webhook_secret=work.tenant.webhook_auth.secret,
        input_schema=None if schema is None else _schema_text(schema),
        cost=float(workflow.cost),
        user_id=work.instance.user_id,
        shared_with=work.instance.shared_with,
        shared_with_user_ids=work.instance.shared_with_user_ids,
    )


def _triggerable(workflow: Workflow) -> HttpTrigger | ScheduleTrigger | None:
    """Return the first http trigger, else the schedule trigger (api §5.22)."""
    for kind in (HttpTrigger, ScheduleTrigger):
        for trigger in workflow.triggers:
            if isinstance(trigger, kind):
                return trigger
    return None


def _target(trigger: HttpTrigger | ScheduleTrigger, values: Values) -> TriggerTarget:
    if isinstance(trigger, HttpTrigger):
        url, method = trigger.url, trigger.method
    else:
        url, method = trigger.manual_trigger_url, "POST"
    return TriggerTarget(
        trigger_id=trigger.trigger_id,
        trigger_type=trigger.type,
        method=method,
        url=resolve(url, values, plain=True).complete(),
    )


def _schema_text(schema: list[FormItem]) -> str:
    items = [item.model_dump(mode="json", by_alias=True, exclude_none=True) for item in schema]
    return orjson.dumps(items).decode()


def _owner(work: Work, row: WorkflowRow, endpoint: Endpoint) -> N8nWorkflowOwner:
    return N8nWorkflowOwner(
        organization_id=work.tenant.organization_id,
        process_instance_id=work.instance_id,
        process_id=work.deployment.process_id,
        deployment_instance_id=work.deployment_id,
        workflow_id=row.workflow_id,
        trigger_type=endpoint.trigger_types[0],
    )


async def record_failure(platform: Platform, work: Work, lease: HeldLease, error: PlatformError) -> None:
    """Record the failure. A version that was live stays live; a first one leaves the instance inactive."""
    rows = work.live or [
        WorkflowRow(
            workflow_id=w.workflow_template_id,
            workflow_name=w.workflow_name,
            n8n_activation_error=error.message,
            cost=float(w.cost),
            integration_uids=list(w.integration_uids),
        )
        for w in work.configuration.workflows
    ]
    writes: list[Write] = [
        Patch(refs.project(work.deployment.project_id), {"deploying": None, "deploying_until": None})
    ]
    if work.instance.live_deployment_instance_id is None:
        missing = isinstance(error, MissingIntegrations)
        reason = InactiveReason.MISSING_INTEGRATION if missing else InactiveReason.DEPLOY_FAILED
        writes.append(Patch(refs.instance(work.instance_id), {"is_active": False, "inactive_reason": reason}))
    await lease.write(
        {
            "deployment_status": DeploymentStatus.FAILED,
            "error": error.message,
            "error_code": error.code,
            "workflows": rows,
            "completed_at": platform.sources.now(),
            "lease": None,
        },
        *writes,
    )
