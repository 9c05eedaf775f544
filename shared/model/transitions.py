"""Every status that only moves along a line, and where it may go (platform §4).

What is not listed is forbidden. Whoever writes a status writes what :func:`moved` or :func:`reached` returns.
Runs have a table of their own (:mod:`shared.executions.transitions`): a final callback may be repeated.
Installations do not move along a line (:mod:`shared.model.instance_events`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from shared.model.deployment import DeploymentStatus
from shared.model.ingestion import IngestionStatus
from shared.model.project import ProjectStatus
from shared.model.rollout import ROLLOUT_TRANSITIONS, TARGET_TRANSITIONS, RolloutStatus, TargetStatus
from shared.model.stage import StageStatus
from shared.model.template import TemplateStatus

S = TypeVar("S", bound=StrEnum)

# fmt: off
# Any: a mapping's key type does not widen.
TRANSITIONS: Mapping[type[StrEnum], Mapping[Any, frozenset[Any]]] = {
    ProjectStatus: {
        ProjectStatus.DRAFT: frozenset({ProjectStatus.IN_PROGRESS}),
        ProjectStatus.IN_PROGRESS: frozenset({ProjectStatus.COMPLETED}),
        ProjectStatus.COMPLETED: frozenset({ProjectStatus.IN_PROGRESS}),
    },
    TemplateStatus: {
        TemplateStatus.INACTIVE: frozenset({TemplateStatus.PUBLISHED}),
        TemplateStatus.PUBLISHED: frozenset({TemplateStatus.DEPRECATED}),
        TemplateStatus.DEPRECATED: frozenset(),
    },
    DeploymentStatus: {
        DeploymentStatus.PENDING: frozenset({DeploymentStatus.DEPLOYING}),
        DeploymentStatus.DEPLOYING: frozenset({DeploymentStatus.DEPLOYED, DeploymentStatus.FAILED}),
        DeploymentStatus.DEPLOYED: frozenset({DeploymentStatus.UPDATING}),
        DeploymentStatus.UPDATING: frozenset({DeploymentStatus.DEPLOYED, DeploymentStatus.FAILED}),
        DeploymentStatus.FAILED: frozenset({DeploymentStatus.DEPLOYING}),
    },
    IngestionStatus: {
        IngestionStatus.PENDING: frozenset({IngestionStatus.ACTIVE, IngestionStatus.FAILED}),
        IngestionStatus.ACTIVE: frozenset({IngestionStatus.SUPERSEDED, IngestionStatus.INACTIVE}),
        IngestionStatus.FAILED: frozenset(),
        IngestionStatus.INACTIVE: frozenset(),
        IngestionStatus.SUPERSEDED: frozenset(),
    },
    StageStatus: {
        StageStatus.ACCEPTED: frozenset({StageStatus.SUPERSEDED}),
        StageStatus.SUPERSEDED: frozenset(),
    },
    RolloutStatus: ROLLOUT_TRANSITIONS,
    TargetStatus: TARGET_TRANSITIONS,
}
# fmt: on


class ForbiddenMove(ValueError):
    """A status was to change in a way its table does not have."""


def may_become(status: S, following: S) -> bool:
    """Return whether a status may change to another one."""
    return following in TRANSITIONS[type(status)][status]


def moved(status: S, following: S) -> S:
    """Return ``following``, to which a status changes.

    Raises:
        ForbiddenMove: there is no such transition.
    """
    if not may_become(status, following):
        raise ForbiddenMove(f"{type(status).__name__}: {status.value} cannot become {following.value}")
    return following


def reached(status: S, following: S) -> S:
    """Return ``following``, at which a status is already or to which it changes.

    Raises:
        ForbiddenMove: there is no such transition.
    """
    return following if status is following else moved(status, following)


def is_final(status: StrEnum) -> bool:
    """Return whether what has this status keeps it."""
    return not TRANSITIONS[type(status)][status]
