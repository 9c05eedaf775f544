"""Which version installations run: updating, pinning and rolling back (platform §10, §12)."""

from __future__ import annotations

from typing import Self

from pydantic import Field, JsonValue

from shared.errors import Conflict, Forbidden, Internal, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.model.scopes import Scope
from shared.services.publishing.publish import Published
from shared.services.publishing.rollback import roll_back
from shared.services.rollouts.choose import Choice, Chosen, choose
from shared.services.rollouts.pin import pin

_USERS = keys(O, P, A, scopes=(Scope.INSTANCES_MANAGE,))
_REFUSALS = (InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, Internal)


class PinRequest(Document):
    """The body of ``pinProcessInstancePublic``."""

    process_instance_id: str = Field(min_length=1)
    pinned: bool


class Pinned(Document):
    """Whether an installation stays at its version; ``available_version`` is one it could have instead."""

    process_instance_id: str
    pinned: bool
    current_version: str
    available_version: str | None = None


@endpoint(
    "POST",
    "pinProcessInstancePublic",
    access=_USERS,
    envelope=Envelope.DATA,
    request=PinRequest,
    response=Pinned,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def pin_process_instance_public(call: Call[PinRequest]) -> Pinned:
    """Let an installation stay at its version, or follow what is published."""
    body = call.body
    instance = await pin(call.platform, call.caller, body.process_instance_id, pinned=body.pinned)
    return Pinned.model_validate({**dict(instance), "process_instance_id": body.process_instance_id})


class UpdateRequest(Document):
    """The body of ``updateProcessInstancePublic``; without a version, the published one."""

    process_instance_id: str = Field(min_length=1)
    version: str | None = Field(default=None, min_length=1)
    deployment_parameters: dict[str, JsonValue] = {}


class Updated(Document):
    """An installation after an update or a rollback; ``error`` says why it failed."""

    process_instance_id: str
    deployment_instance_id: str
    deployment_status: str
    version: str
    pinned: bool
    error: str | None = None

    @classmethod
    def of(cls, process_instance_id: str, chosen: Chosen) -> Self:
        """Return the answer to a choice."""
        return cls(
            process_instance_id=process_instance_id,
            deployment_instance_id=chosen.deployment_instance_id,
            deployment_status=chosen.carried.status,
            version=chosen.version,
            pinned=chosen.pinned,
            error=chosen.carried.error,
        )


@endpoint(
    "POST",
    "updateProcessInstancePublic",
    access=_USERS,
    envelope=Envelope.DATA,
    request=UpdateRequest,
    response=Updated,
    errors=_REFUSALS,
    memory_mebibytes=512,
    concurrency=20,
)
async def update_process_instance_public(call: Call[UpdateRequest]) -> Updated:
    """Bring an installation to the published version, or to another one that was published."""
    body = call.body
    choice = Choice(body.process_instance_id, body.version, body.deployment_parameters)
    return Updated.of(body.process_instance_id, await choose(call.platform, call.caller, choice))


class RollbackRequest(Document):
    """The body of ``rollbackProcessInstancePublic``."""

    process_instance_id: str = Field(min_length=1)
    version: str = Field(min_length=1)


@endpoint(
    "POST",
    "rollbackProcessInstancePublic",
    access=_USERS,
    envelope=Envelope.DATA,
    request=RollbackRequest,
    response=Updated,
    errors=_REFUSALS,
    memory_mebibytes=512,
    concurrency=20,
)
async def rollback_process_instance_public(call: Call[RollbackRequest]) -> Updated:
    """Bring an installation back to an older version and let it stay there."""
    body = call.body
    choice = Choice(body.process_instance_id, body.version, back=True)
    return Updated.of(body.process_instance_id, await choose(call.platform, call.caller, choice))


class ProcessRollback(Document):
    """The body of ``rollbackProcessPublic``."""

    project_id: str = Field(min_length=1)
    version: str = Field(min_length=1)


@endpoint(
    "POST",
    "rollbackProcessPublic",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=ProcessRollback,
    response=Published,
    errors=_REFUSALS,
    memory_mebibytes=512,
    concurrency=20,
)
async def rollback_process_public(call: Call[ProcessRollback]) -> Published:
    """Publish an earlier version's content again, for everybody who follows the process."""
    return await roll_back(call.platform, call.caller, call.body.project_id, call.body.version)
