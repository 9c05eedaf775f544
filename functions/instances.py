"""Installations: listed, shown, switched on and off, archived (api §5.18-§5.21)."""

from __future__ import annotations

from typing import Self

from pydantic import Field, JsonValue

from shared.errors import (
    Conflict,
    Forbidden,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    Unauthorized,
    UpstreamError,
)
from shared.executions.errors.kinds import ErrorType
from shared.executions.errors.recognise import class_with
from shared.http.access import A, O, P, TaskCall, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Complete, Document, Timestamp
from shared.model.instance import ProcessInstance, TriggerError
from shared.model.scopes import Scope
from shared.services.instances.activate import Activation, activate, deactivate
from shared.services.instances.archive import archive
from shared.services.instances.list import list_instances
from shared.services.instances.show import Shown, show
from shared.services.instances.switch import settle
from shared.store.store import Found

SWITCH_SECONDS = 120
"""Runs that go on are waited for, then n8n's registrations."""


class InstanceNamed(Document):
    """A body that names an installation."""

    process_instance_id: str = Field(min_length=1)


class InstancesQuery(Document):
    """The query of ``listProcessInstancesPublic``. ``archived`` ones are listed instead of the others."""

    environment: str | None = None
    archived: bool = False
    limit: int = Field(default=50, ge=1)
    organization_id: str | None = None


def _unless_unset(value: object) -> bool:
    return not value


class Following(Complete):
    """Whether an installation follows what is published; each field is there only when it says something."""

    pinned: bool = Field(default=False, exclude_if=_unless_unset)
    update_available: bool = Field(default=False, exclude_if=_unless_unset)
    available_version: str | None = Field(default=None, exclude_if=_unless_unset)


class InstanceRow(Following):
    """An installation as lists show it; ``inactive_reason`` is there only while it is inactive."""

    process_instance_id: str
    process_id: str
    title: str
    environment: str
    is_active: bool
    archived: bool
    current_version: str
    installed_at: Timestamp | None
    last_executed_at: Timestamp | None
    inactive_reason: str | None = Field(default=None, exclude_if=lambda reason: reason is None)

    @classmethod
    def of(cls, found: Found[ProcessInstance]) -> Self:
        """Return the row of an installation."""
        instance = found.value
        shown = {
            **dict(instance),
            "process_instance_id": found.ref.path.rpartition("/")[2],
            "update_available": instance.available_version is not None,
        }
        return cls.model_validate(shown | ({"inactive_reason": None} if instance.is_active else {}))


class Instances(Complete):
    """Installations, the newest first. ``count`` is how many there are in this answer."""

    instances: list[InstanceRow]
    count: int
    organization_id: str


@endpoint(
    "GET",
    "listProcessInstancesPublic",
    access=keys(O, P, A, scopes=(Scope.INSTANCES_READ,)),
    envelope=Envelope.DATA,
    request=InstancesQuery,
    response=Instances,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_process_instances_public(call: Call[InstancesQuery]) -> Instances:
    """List the installations a caller may see, at most 100."""
    query = call.body
    organization_id, found = await list_instances(
        call.platform,
        call.caller,
        query.organization_id,
        environment=query.environment,
        archived=query.archived,
        limit=query.limit,
    )
    rows = [InstanceRow.of(instance) for instance in found]
    return Instances(instances=rows, count=len(rows), organization_id=organization_id)


class InstanceChoice(InstanceNamed):
    """The body of ``getProcessInstancePublic``."""

    include_workflow_details: bool = False


class WorkflowEntry(Complete):
    """A workflow of an installation."""

    workflow_id: str
    n8n_workflow_id: str | None
    workflow_name: str


class DetailedWorkflowEntry(WorkflowEntry):
    """A workflow with how it starts; ``cost`` is in credits per successful run."""

    n8n_workflow_is_active: bool
    triggers: list[dict[str, JsonValue]]
    cost: float
    integration_uids: list[str]


class DeploymentEntry(Complete):
    """The latest deployment of an installation."""

    deployment_instance_id: str
    deployment_status: str
    deployment_parameters: dict[str, JsonValue]
    deployment_input_schema: list[JsonValue]
    workflows: list[DetailedWorkflowEntry | WorkflowEntry]


class TriggerErrorEntry(Document):
    """A trigger that n8n could not run, ``count`` times since ``first_at``, and what helps."""

    workflow_id: str
    message: str
    code: str
    hint: str
    first_at: Timestamp
    last_at: Timestamp
    count: int

    @classmethod
    def of(cls, error: TriggerError) -> Self:
        """Return the entry of an error."""
        return cls.model_validate({**dict(error), "hint": class_with(error.code, ErrorType.UNKNOWN).hint})


class InstanceDetails(Following):
    """An installation; ``trigger_errors`` is there only while a trigger fails."""

    process_instance_id: str
    process_id: str
    environment: str
    is_active: bool
    archived: bool
    current_version: str
    title: str
    organization_id: str
    installed_at: Timestamp | None
    last_executed_at: Timestamp | None
    deployment: DeploymentEntry | None
    trigger_errors: list[TriggerErrorEntry] = Field(default=[], exclude_if=_unless_unset)


@endpoint(
    "POST",
    "getProcessInstancePublic",
    access=keys(O, P, A, scopes=(Scope.INSTANCES_READ,)),
    envelope=Envelope.DATA,
    request=InstanceChoice,
    response=InstanceDetails,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def get_process_instance_public(call: Call[InstanceChoice]) -> InstanceDetails:
    """Return an installation with its deployment and workflows."""
    body = call.body
    shown = await show(call.platform, call.caller, body.process_instance_id)
    deployment = _deployment(shown, detailed=body.include_workflow_details)
    fields = {
        **dict(shown.instance),
        "process_instance_id": body.process_instance_id,
        "update_available": shown.instance.available_version is not None,
        "trigger_errors": [TriggerErrorEntry.of(error) for error in shown.instance.trigger_errors],
    }
    return InstanceDetails.model_validate({**fields, "deployment": deployment})


def _deployment(shown: Shown, *, detailed: bool) -> DeploymentEntry | None:
    if shown.deployment is None:
        return None
    triggers = {workflow.workflow_id: workflow.triggers for workflow in shown.outline.workflows}
    entries: list[DetailedWorkflowEntry | WorkflowEntry] = []
    for row in shown.workflows:
        fields = {**dict(row), "triggers": triggers.get(row.workflow_id, [])}
        entries.append((DetailedWorkflowEntry if detailed else WorkflowEntry).model_validate(fields))
    return DeploymentEntry.model_validate(
        {
            "deployment_instance_id": shown.instance.current_deployment_instance_id,
            "deployment_status": shown.deployment.deployment_status,
            "deployment_parameters": shown.parameters,
            "deployment_input_schema": shown.outline.input_schema,
            "workflows": entries,
        }
    )


class Toggled(Document):
    """The owner's other environment, switched off because this one was switched on."""

    process_instance_id: str
    environment: str
    status: str


class SwitchedInstance(Document):
    """An installation after it was switched.

    ``workflow_count`` counts what this call switched in n8n, sub-workflows included; 0 when it was so before.
    ``workflows_affected`` is the same under an older name.
    """

    process_instance_id: str
    is_active: bool
    status: str
    workflow_count: int
    workflows_affected: int
    auto_toggled: Toggled | None = None

    @classmethod
    def after(cls, process_instance_id: str, done: Activation) -> Self:
        """Return the answer to an activation or a deactivation (decision 6)."""
        switched, other = done.switched, done.toggled
        toggled = other and Toggled(
            process_instance_id=other.ref.path.rpartition("/")[2],
            environment=other.value.environment.value,
            status="inactive",
        )
        return cls(
            process_instance_id=process_instance_id,
            is_active=switched.instance.is_active,
            status="active" if switched.instance.is_active else "inactive",
            workflow_count=switched.workflow_count,
            workflows_affected=switched.workflow_count,
            auto_toggled=toggled,
        )


@endpoint(
    "POST",
    "activateProcessInstancePublic",
    access=keys(O, P, A, scopes=(Scope.INSTANCES_MANAGE,)),
    envelope=Envelope.DATA,
    request=InstanceNamed,
    response=SwitchedInstance,
    errors=(InvalidRequest, Unauthorized, InsufficientCredits, Forbidden, NotFound, Conflict, UpstreamError),
    timeout_seconds=SWITCH_SECONDS,
)
async def activate_process_instance_public(call: Call[InstanceNamed]) -> SwitchedInstance:
    """Let a paused installation run again."""
    instance = call.body.process_instance_id
    return SwitchedInstance.after(instance, await activate(call.platform, call.caller, instance))


@endpoint(
    "POST",
    "deactivateProcessInstancePublic",
    access=keys(O, P, A, scopes=(Scope.INSTANCES_MANAGE,)),
    envelope=Envelope.DATA,
    request=InstanceNamed,
    response=SwitchedInstance,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, UpstreamError),
    timeout_seconds=SWITCH_SECONDS,
)
async def deactivate_process_instance_public(call: Call[InstanceNamed]) -> SwitchedInstance:
    """Pause an installation: it takes no runs, and keeps everything else."""
    instance = call.body.process_instance_id
    return SwitchedInstance.after(instance, await deactivate(call.platform, call.caller, instance))


class Archived(Document):
    """Whether an installation is archived now."""

    process_instance_id: str
    archived: bool


@endpoint(
    "POST",
    "archiveProcessInstance",
    access=keys(O, P, A, scopes=(Scope.INSTANCES_MANAGE,)),
    envelope=Envelope.DATA,
    request=InstanceNamed,
    response=Archived,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, UpstreamError),
    timeout_seconds=SWITCH_SECONDS,
)
async def archive_process_instance(call: Call[InstanceNamed]) -> Archived:
    """Pause an installation and take it out of lists; nothing is lost."""
    instance = call.body.process_instance_id
    await archive(call.platform, call.caller, instance, put_away=True)
    return Archived(process_instance_id=instance, archived=True)


@endpoint(
    "POST",
    "unarchiveProcessInstance",
    access=keys(O, P, A, scopes=(Scope.INSTANCES_MANAGE,)),
    envelope=Envelope.DATA,
    request=InstanceNamed,
    response=Archived,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def unarchive_process_instance(call: Call[InstanceNamed]) -> Archived:
    """Get an archived installation back; it stays paused until it is activated."""
    instance = call.body.process_instance_id
    await archive(call.platform, call.caller, instance, put_away=False)
    return Archived(process_instance_id=instance, archived=False)


class Settled(Document):
    """What the handler did, for the log."""

    outcome: str


@endpoint(
    "POST",
    "settleInstanceSwitch",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=InstanceNamed,
    response=Settled,
    errors=(Unauthorized, Conflict, UpstreamError),
    timeout_seconds=SWITCH_SECONDS,
)
async def settle_instance_switch(call: Call[InstanceNamed]) -> Settled:
    """Complete a switch whose worker is gone."""
    outcome = await settle(call.platform, call.body.process_instance_id)
    call.notes["outcome"] = outcome
    return Settled(outcome=outcome)
