"""Events of what happens seldom: a deployment ends, an installation changes its state, a connection breaks.

Each is given to the commit of the change, and its telling is booked before that.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.model.deployment import DeploymentInstance, DeploymentStatus
from shared.model.document import Complete
from shared.model.events import EventType
from shared.model.instance import ProcessInstance
from shared.services.events.announce import announced
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Write

_STATE = ("is_active", "inactive_reason", "archived")


async def deployment_ended(
    platform: Platform,
    organization_id: str,
    deployment_id: str,
    deployment: DeploymentInstance,
    status: DeploymentStatus,
    error: str | None = None,
    error_code: str | None = None,
) -> list[Write]:
    """Return what tells of a deployment's end, if anybody listens to that."""
    succeeded = status is DeploymentStatus.DEPLOYED
    data = {
        "deploymentInstanceId": deployment_id,
        "processInstanceId": deployment.process_instance_id,
        "version": deployment.version,
        "purpose": deployment.purpose.value,
        "status": status.value,
        **({} if error is None else {"error": {"code": error_code, "message": error}}),
    }
    type_ = EventType.DEPLOYMENT_SUCCEEDED if succeeded else EventType.DEPLOYMENT_FAILED
    # A deployment that failed may be taken up once more and end again.
    occasion = platform.sources.uuid7()
    return await _told(platform, organization_id, type_, deployment_id, data, occasion)


async def state_changed(
    platform: Platform, process_instance_id: str, before: ProcessInstance, changes: Mapping[str, object]
) -> list[Write]:
    """Return what tells that an installation came to be active or not, if it did and anybody listens."""
    after = before.model_copy(update={name: changes[name] for name in _STATE if name in changes})
    if all(getattr(after, name) == getattr(before, name) for name in _STATE):
        return []
    data = {
        "processInstanceId": process_instance_id,
        "processId": before.process_id,
        "environment": before.environment.value,
        "before": _state(before),
        "after": _state(after),
    }
    kind, occasion = EventType.INSTANCE_STATE_CHANGED, platform.sources.uuid7()
    return await _told(platform, before.organization_id, kind, process_instance_id, data, occasion)


async def credential_broken(
    platform: Platform, organization_id: str, integration: str, reason: str
) -> list[Write]:
    """Return what tells that a connection cannot be used any more, if anybody listens to that.

    ``integration`` is its id with whose it is: ``organization:slack``.
    """
    data = {"integration": integration, "reason": reason}
    kind, occasion = EventType.CREDENTIAL_BROKEN, platform.sources.uuid7()
    return await _told(platform, organization_id, kind, integration, data, occasion)


async def _told(
    platform: Platform,
    organization_id: str,
    type_: EventType,
    subject: str,
    data: Mapping[str, object],
    occasion: str,
) -> list[Write]:
    account = await platform.store.get(refs.account(organization_id))
    if account is None or type_.value not in account.value.subscriptions:
        return []
    announcement = announced(platform, organization_id, type_, subject, data, occasion=occasion)
    await announcement.book(platform)
    return [announcement.write]


class _State(Complete):
    """What is told of an installation's state."""

    is_active: bool
    inactive_reason: str | None
    archived: bool


def _state(instance: ProcessInstance) -> dict[str, object]:
    return _State.model_validate({name: getattr(instance, name) for name in _STATE}).wire()
