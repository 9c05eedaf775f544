"""Installations: listed, shown, switched on and off, archived (api §5.18-§5.21)."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unauthorized, UpstreamError
from shared.http.access import A, O, P, TaskCall, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.model.scopes import Scope
from shared.services.instances.activate import Activation, activate, deactivate
from shared.services.instances.archive import archive
from shared.services.instances.switch import settle

SWITCH_SECONDS = 120
"""Runs that go on are waited for, then n8n's registrations."""


class InstanceNamed(Document):
    """A body that names an installation."""

    process_instance_id: str = Field(min_length=1)


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
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, UpstreamError),
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
