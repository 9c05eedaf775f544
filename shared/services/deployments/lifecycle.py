"""The status of a deployment instance while a worker is at it (platform §4)."""

from __future__ import annotations

from shared.model.deployment import DeploymentStatus
from shared.model.transitions import may_become


def at_work(status: DeploymentStatus) -> DeploymentStatus:
    """Return the status of a deployment instance while a worker is at it, by the one it had before."""
    if not status.is_terminal and status is not DeploymentStatus.PENDING:
        return status  # A worker that takes over goes on with what the one before it did.
    working = (DeploymentStatus.DEPLOYING, DeploymentStatus.UPDATING)
    return next(candidate for candidate in working if may_become(status, candidate))
