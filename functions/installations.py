"""Installing published processes, sharing installations and removing them (platform §12)."""

from __future__ import annotations

from pydantic import Field, JsonValue

from functions.instances import SWITCH_SECONDS, InstanceNamed, Settled
from shared.errors import (
    Conflict,
    Forbidden,
    Internal,
    InvalidRequest,
    NotFound,
    Unauthorized,
    UpstreamError,
)
from shared.http.access import A, O, P, TaskCall, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.model.instance import SharedWith
from shared.model.scopes import Scope
from shared.services.installations.install import Request, install
from shared.services.installations.remove import remove_remains
from shared.services.installations.share import share
from shared.services.installations.uninstall import uninstall

_MANAGING = keys(O, P, A, scopes=(Scope.INSTANCES_MANAGE,))


class InstallRequest(Document):
    """The body of ``installProcessPublic``. Sharing is for organizational processes."""

    process_id: str = Field(min_length=1)
    deployment_parameters: dict[str, JsonValue] = {}
    organization_id: str | None = None
    shared_with: SharedWith | None = None
    shared_with_user_ids: list[str] = []


class InstalledProcess(Document):
    """An installation that was made; ``error`` and ``inactive_reason`` say what keeps it from running."""

    process_instance_id: str
    process_id: str
    organization_id: str
    version: str
    environment: str
    is_active: bool
    deployment_instance_id: str
    deployment_status: str
    inactive_reason: str | None = None
    error: str | None = None


@endpoint(
    "POST",
    "installProcessPublic",
    access=_MANAGING,
    envelope=Envelope.DATA,
    request=InstallRequest,
    response=InstalledProcess,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, Internal),
    memory_mebibytes=512,
    concurrency=20,
)
async def install_process_public(call: Call[InstallRequest]) -> InstalledProcess:
    """Install a published process for oneself or, an organizational one, for the organization."""
    body = call.body
    request = Request(
        process_id=body.process_id,
        parameters=body.deployment_parameters,
        organization_id=body.organization_id,
        shared_with=body.shared_with,
        shared_with_user_ids=tuple(body.shared_with_user_ids),
    )
    done = await install(call.platform, call.caller, request)
    instance = done.instance
    return InstalledProcess(
        process_instance_id=done.process_instance_id,
        process_id=body.process_id,
        organization_id=instance.organization_id,
        version=instance.current_version,
        environment=instance.environment.value,
        is_active=instance.is_active,
        deployment_instance_id=done.deployment_instance_id,
        deployment_status=done.carried.status,
        inactive_reason=instance.inactive_reason,
        error=done.carried.error,
    )


class ShareRequest(Document):
    """The body of ``shareProcessInstancePublic``."""

    process_instance_id: str = Field(min_length=1)
    shared_with: SharedWith
    shared_with_user_ids: list[str] = []


class SharedInstance(Document):
    """Who may use an installation now."""

    process_instance_id: str
    shared_with: SharedWith
    shared_with_user_ids: list[str]


@endpoint(
    "POST",
    "shareProcessInstancePublic",
    access=_MANAGING,
    envelope=Envelope.DATA,
    request=ShareRequest,
    response=SharedInstance,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def share_process_instance_public(call: Call[ShareRequest]) -> SharedInstance:
    """Change who in the organization may use an installation."""
    body = call.body
    instance_id, user_ids = body.process_instance_id, tuple(body.shared_with_user_ids)
    sharing = await share(call.platform, call.caller, instance_id, body.shared_with, user_ids)
    return SharedInstance(
        process_instance_id=instance_id,
        shared_with=sharing.shared_with,
        shared_with_user_ids=sharing.shared_with_user_ids,
    )


class UninstalledInstance(Document):
    """An uninstalled installation; ``removed`` is false while its last traces are still being removed."""

    process_instance_id: str
    uninstalled: bool
    removed: bool


@endpoint(
    "POST",
    "uninstallProcessInstancePublic",
    access=_MANAGING,
    envelope=Envelope.DATA,
    request=InstanceNamed,
    response=UninstalledInstance,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, UpstreamError),
    timeout_seconds=SWITCH_SECONDS,
)
async def uninstall_process_instance_public(call: Call[InstanceNamed]) -> UninstalledInstance:
    """Uninstall what was installed: workflows, credentials and key go, its runs can still be read."""
    done = await uninstall(call.platform, call.caller, call.body.process_instance_id)
    return UninstalledInstance(
        process_instance_id=done.process_instance_id, uninstalled=True, removed=done.removed
    )


@endpoint(
    "POST",
    "finishUninstallation",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=InstanceNamed,
    response=Settled,
    errors=(Unauthorized, Conflict, UpstreamError),
    timeout_seconds=SWITCH_SECONDS,
)
async def finish_uninstallation(call: Call[InstanceNamed]) -> Settled:
    """Remove what an interrupted uninstallation left."""
    outcome = await remove_remains(call.platform, call.body.process_instance_id)
    call.notes["outcome"] = outcome
    return Settled(outcome=outcome)
