"""How a deployment instance's status may change (platform §4)."""

from __future__ import annotations

from collections.abc import Mapping

from shared.model.deployment import DeploymentStatus

TRANSITIONS: Mapping[DeploymentStatus, frozenset[DeploymentStatus]] = {
    DeploymentStatus.PENDING: frozenset({DeploymentStatus.DEPLOYING}),
    DeploymentStatus.DEPLOYING: frozenset({DeploymentStatus.DEPLOYED, DeploymentStatus.FAILED}),
    DeploymentStatus.DEPLOYED: frozenset({DeploymentStatus.UPDATING}),
    DeploymentStatus.UPDATING: frozenset({DeploymentStatus.DEPLOYED, DeploymentStatus.FAILED}),
    DeploymentStatus.FAILED: frozenset({DeploymentStatus.DEPLOYING}),
}
"""Status → the ones it may change to. What is not listed is forbidden."""


def may_become(status: DeploymentStatus, next_status: DeploymentStatus) -> bool:
    """Return whether a deployment instance may change from one status to the other."""
    return next_status in TRANSITIONS[status]


def at_work(status: DeploymentStatus) -> DeploymentStatus:
    """Return the status of a deployment instance while a worker is at it, by the one it had before."""
    if not status.is_terminal and status is not DeploymentStatus.PENDING:
        return status  # A worker that takes over goes on with what the one before it did.
    working = (DeploymentStatus.DEPLOYING, DeploymentStatus.UPDATING)
    return next(candidate for candidate in working if may_become(status, candidate))
