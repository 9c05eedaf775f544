"""End deployments that held a project or an installation for too long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.model.deployment import DeploymentInstance, DeploymentStatus
from shared.model.instance import ProcessInstance
from shared.model.instance_events import Outcome, ended
from shared.model.lockable import Lockable
from shared.model.transitions import moved
from shared.services.deployments.lifecycle import at_work
from shared.services.deployments.lock import FREE
from shared.services.events.changes import deployment_ended
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found, Patch, Write

_ERROR = "The deployment took too long, and a newer one took its place."
_CODE = "DEPLOYMENT_SUPERSEDED"


async def stuck_holders(platform: Platform, *held: Lockable) -> list[Found[DeploymentInstance]]:
    """Return the deployments that are named as holders and have not ended, each once.

    To be asked once the locks are known to have expired.
    """
    ids = dict.fromkeys(lockable.deploying for lockable in held if lockable.deploying)
    found = await platform.store.fetch(*map(refs.deployment, ids)) if ids else ()
    return [one for one in found if one is not None and not one.value.deployment_status.is_terminal]


async def superseding(
    platform: Platform, stuck: Sequence[Found[DeploymentInstance]], now: datetime
) -> list[Write]:
    """Return what ends deployments, lets their workers, if they live, write no more, and tells of it."""
    writes: list[Write] = []
    for one in stuck:
        ended = {
            "deployment_status": moved(at_work(one.value.deployment_status), DeploymentStatus.FAILED),
            "error": _ERROR,
            "error_code": _CODE,
            "completed_at": now,
            "lease": None,
        }
        of, deployment_id = one.value.organization_id, one.ref.path.rpartition("/")[2]
        told = await deployment_ended(
            platform, of, deployment_id, one.value, DeploymentStatus.FAILED, _ERROR, _CODE
        )
        writes += [Patch(one.ref, ended), *told]
    return writes


def unsettling(stuck: Found[DeploymentInstance]) -> dict[str, object]:
    """Return the fields by which an installation says that n8n must be put back to what ran before."""
    return {"unsettled_deployment_instance_id": stuck.ref.path.rpartition("/")[2]}


async def unsettling_elsewhere(platform: Platform, stuck: Sequence[Found[DeploymentInstance]]) -> list[Write]:
    """Return what says so of other installations, and that their deployments failed, and lets them go.

    The deployments' own watchdogs put n8n back.
    """
    instances = (refs.instance(one.value.process_instance_id) for one in stuck)
    found = await platform.store.fetch(*instances) if stuck else ()
    return [_failed(one, instance) for one, instance in zip(stuck, found, strict=True) if instance]


def _failed(stuck: Found[DeploymentInstance], found: Found[ProcessInstance]) -> Write:
    instance, changes = found.value, unsettling(stuck)
    deployment_id = stuck.ref.path.rpartition("/")[2]
    if instance.current_deployment_instance_id == deployment_id:
        changes |= ended(stuck.value.purpose, Outcome.FAILED, instance)
    if instance.deploying == deployment_id:
        changes |= FREE
    return Patch(found.ref, changes, found.update_time)
