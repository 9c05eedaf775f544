"""What a deployment tells the rollout whose target it is."""

from __future__ import annotations

from shared.model.deployment import DeploymentInstance, DeploymentStatus, Purpose
from shared.model.rollout import Target, TargetStatus
from shared.model.transitions import moved
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Patch

_ENDS: dict[DeploymentStatus, TargetStatus] = {
    DeploymentStatus.DEPLOYED: TargetStatus.DEPLOYED,
    DeploymentStatus.FAILED: TargetStatus.FAILED,
}


def ending_target(
    platform: Platform,
    deployment: DeploymentInstance,
    status: DeploymentStatus,
    error: str | None = None,
    error_code: str | None = None,
) -> list[Patch[Target]]:
    """Return what ends the target of a deployment that ends with that status; nothing without one.

    A target is deploying from the beginning of its deployment until this.
    """
    if deployment.rollout_id is None or deployment.purpose is not Purpose.UPDATE:
        return []
    changes = {
        "status": moved(TargetStatus.DEPLOYING, _ENDS[status]),
        "error": error,
        "error_code": error_code,
        "ended_at": platform.sources.now(),
    }
    return [Patch(refs.rollout_target(deployment.rollout_id, deployment.process_instance_id), changes)]
