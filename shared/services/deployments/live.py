"""The documents that make a new version the one that is triggered."""

from __future__ import annotations

import orjson

from shared.executions.models.presence import uses_language_models
from shared.model.configuration import FormItem, HttpTrigger, ScheduleTrigger, Workflow
from shared.model.configuration.part import Number
from shared.model.deployment import N8nWorkflowOwner, WorkflowRow
from shared.model.endpoint import Endpoint, TriggerTarget
from shared.model.instance import Environment
from shared.model.instance_events import Outcome, ended
from shared.model.project import CurrentDeployment
from shared.placeholders import Values, resolve
from shared.services.deployments.lock import unlocking
from shared.services.deployments.work import Work
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Delete, Put, Write


def live_writes(platform: Platform, work: Work, rows: list[WorkflowRow], values: Values) -> list[Write]:
    """Return what makes the new version the one that is triggered, in the commit that says deployed.

    New endpoints are not held: runs are sent again from that commit on. An installation that stays paused
    gets endpoints that take no runs.
    """
    now = platform.sources.now()
    instance_id, organization_id = work.instance_id, work.tenant.organization_id
    kept = {row.workflow_id for row in rows}
    changes = {
        **ended(work.deployment.purpose, Outcome.DEPLOYED, work.instance),
        "current_version": work.deployment.version,
        "live_deployment_instance_id": work.deployment_id,
        "unsettled_deployment_instance_id": None,
        "integration_uses": values.integration_uses,
        "trigger_errors": [],
    }
    if work.instance.available_template_id == work.deployment.template_id:
        changes |= {"available_template_id": None, "available_version": None}
    current = CurrentDeployment(version=work.deployment.version, deployed_at=now)
    of_project = {"current_deployment": current} if work.instance.environment is Environment.DEV else None
    writes = unlocking(work.deployment, changes, of_project)
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
        is_active=work.goes_live,
        trigger_types=[t.type for t in workflow.triggers],
        trigger_ids={t.type: t.trigger_id for t in reversed(workflow.triggers)},
        target=_target(trigger, values) if trigger else None,
        webhook_secret=work.tenant.webhook_auth.secret,
        input_schema=None if schema is None else _schema_text(schema),
        cost=float(workflow.cost),
        of_another=work.publisher_id != work.tenant.organization_id,
        uses_language_models=uses_language_models(row.workflow_id, work.texts),
        llm_cost_estimate=_number(workflow.cost_estimation_for_llm_tokens),
        max_running=workflow.max_running,
        max_runs_per_minute=workflow.max_runs_per_minute,
        user_id=work.instance.user_id,
        shared_with=work.instance.shared_with,
        shared_with_user_ids=work.instance.shared_with_user_ids,
    )


def _number(value: Number | None) -> float | None:
    return None if value is None else float(value)


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
