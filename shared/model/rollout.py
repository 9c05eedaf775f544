"""Rollouts: one version brought to all installations of a process that follow it (platform §10, §12)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from shared.model.document import Document


class RolloutStatus(StrEnum):
    """Where a rollout stands."""

    PLANNING = "planning"
    """Installations are still being looked for; those that were found are updated meanwhile."""
    RUNNING = "running"
    COMPLETED = "completed"
    """Every installation ended one way or the other."""
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    """A newer rollout of the process took its place."""

    @property
    def is_terminal(self) -> bool:
        """Whether it begins no update any more."""
        return self not in (RolloutStatus.PLANNING, RolloutStatus.RUNNING)


class TargetStatus(StrEnum):
    """What became of one installation in a rollout."""

    PENDING = "pending"
    DEPLOYING = "deploying"
    DEPLOYED = "deployed"
    FAILED = "failed"
    """Its version before still runs."""
    NOTIFIED = "notified"
    """It is pinned: it was told, and chooses."""
    SKIPPED = "skipped"
    """It was archived or uninstalled, or has the version already."""
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether the rollout is done with it."""
        return self not in (TargetStatus.PENDING, TargetStatus.DEPLOYING)


ROLLOUT_TRANSITIONS: Mapping[RolloutStatus, frozenset[RolloutStatus]] = {
    RolloutStatus.PLANNING: frozenset(
        {RolloutStatus.RUNNING, RolloutStatus.CANCELLED, RolloutStatus.SUPERSEDED}
    ),
    RolloutStatus.RUNNING: frozenset(
        {
            RolloutStatus.PLANNING,
            RolloutStatus.COMPLETED,
            RolloutStatus.CANCELLED,
            RolloutStatus.SUPERSEDED,
        }
    ),
    # Whoever resumes looks for installations again. What ended before its successor came stays as it ended.
    RolloutStatus.COMPLETED: frozenset({RolloutStatus.PLANNING}),
    RolloutStatus.CANCELLED: frozenset({RolloutStatus.PLANNING}),
    RolloutStatus.SUPERSEDED: frozenset(),
}
"""Status → the ones it may change to. What is not listed is forbidden."""

TARGET_TRANSITIONS: Mapping[TargetStatus, frozenset[TargetStatus]] = {
    TargetStatus.PENDING: frozenset(
        {
            TargetStatus.DEPLOYING,
            # It lacks something that no deployment can do without.
            TargetStatus.FAILED,
            TargetStatus.NOTIFIED,
            TargetStatus.SKIPPED,
            TargetStatus.CANCELLED,
        }
    ),
    TargetStatus.DEPLOYING: frozenset({TargetStatus.DEPLOYED, TargetStatus.FAILED}),
    TargetStatus.FAILED: frozenset({TargetStatus.PENDING}),
    TargetStatus.CANCELLED: frozenset({TargetStatus.PENDING}),
    TargetStatus.DEPLOYED: frozenset(),
    TargetStatus.NOTIFIED: frozenset(),
    TargetStatus.SKIPPED: frozenset(),
}
"""Status → the ones it may change to. What is not listed is forbidden."""


class Rollout(Document):
    """One version on its way to the installations. It belongs to the organization that published.

    ``number`` counts the rollouts of the process. ``planned_after`` is the installation up to which they
    were looked for, ``found`` how many of them there are so far. ``counts`` holds the targets by status once
    it is completed; before, they are counted.
    """

    organization_id: str
    process_id: str
    project_id: str
    template_id: str
    version: str
    number: int
    status: RolloutStatus = RolloutStatus.PLANNING
    attempt: int = 1
    """How many times it was begun or resumed; part of the names of its tasks."""
    planned_after: str | None = None
    found: int = 0
    counts: dict[str, int] | None = None
    production_instance_id: str | None = None
    """The owner's own installation, which the publish itself sees to."""
    started_by: str
    created_at: datetime
    ended_at: datetime | None = None


class Target(Document):
    """One installation in a rollout; below the rollout, named after the installation.

    ``organization_id`` is the installation's. ``error`` is for that organization's eyes alone; the
    publisher is shown ``error_code``. ``attempt`` is the rollout's at which it was last to be updated.
    """

    organization_id: str
    process_instance_id: str
    backend_id: str
    """The n8n it runs on, whose queue its tasks are in."""
    status: TargetStatus = TargetStatus.PENDING
    attempt: int = 1
    from_version: str | None = None
    deployment_instance_id: str | None = None
    error: str | None = None
    error_code: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
