"""How a deployment instance's status may change, and what a new version leaves paused (platform §4)."""

from __future__ import annotations

from collections.abc import Mapping

from shared.model.deployment import DeploymentStatus, Purpose
from shared.model.instance import InactiveReason

TRANSITIONS: Mapping[DeploymentStatus, frozenset[DeploymentStatus]] = {
    DeploymentStatus.PENDING: frozenset({DeploymentStatus.DEPLOYING}),
    DeploymentStatus.DEPLOYING: frozenset({DeploymentStatus.DEPLOYED, DeploymentStatus.FAILED}),
    DeploymentStatus.DEPLOYED: frozenset({DeploymentStatus.UPDATING}),
    DeploymentStatus.UPDATING: frozenset({DeploymentStatus.DEPLOYED, DeploymentStatus.FAILED}),
    DeploymentStatus.FAILED: frozenset({DeploymentStatus.DEPLOYING}),
}
"""Status → the ones it may change to. What is not listed is forbidden."""

_PAUSED = frozenset({InactiveReason.USER_PAUSED, InactiveReason.CREDITS_EXHAUSTED, InactiveReason.ARCHIVED})

KEPT_PAUSES: Mapping[Purpose, frozenset[InactiveReason]] = {
    Purpose.DEPLOY: frozenset(),
    Purpose.PUBLISH: _PAUSED,
    Purpose.INSTALL: frozenset(),
    Purpose.UPDATE: _PAUSED | {InactiveReason.AUTO_TOGGLED},
    Purpose.RERUN: _PAUSED | {InactiveReason.AUTO_TOGGLED},
}
"""Purpose → why an installation stays paused though its deployment succeeds (decision 0015)."""


def may_become(status: DeploymentStatus, next_status: DeploymentStatus) -> bool:
    """Return whether a deployment instance may change from one status to the other."""
    return next_status in TRANSITIONS[status]


def at_work(status: DeploymentStatus) -> DeploymentStatus:
    """Return the status of a deployment instance while a worker is at it, by the one it had before."""
    if not status.is_terminal and status is not DeploymentStatus.PENDING:
        return status  # A worker that takes over goes on with what the one before it did.
    working = (DeploymentStatus.DEPLOYING, DeploymentStatus.UPDATING)
    return next(candidate for candidate in working if may_become(status, candidate))
