"""What state an installation is in, and what may be done to it there (platform §4, §11.3). Pure."""

from __future__ import annotations

from enum import StrEnum

from shared.model.deployment import DeploymentInstance, DeploymentStatus
from shared.model.instance import InactiveReason, ProcessInstance


class InstanceState(StrEnum):
    """The state a user is shown."""

    ARCHIVED = "archived"
    DEPLOYING = "deploying"
    """A deployment is at work; what comes out of it is not known yet."""
    MISSING_INTEGRATION = "missing_integration"
    DEPLOY_FAILED = "deploy_failed"
    PAUSED = "paused"
    ACTIVE = "active"


class Action(StrEnum):
    """What a user does to an installation."""

    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"


class Verdict(StrEnum):
    """What becomes of an action."""

    DO = "do"
    DONE_ALREADY = "done already"
    NOT_ARCHIVED_ONES = "not archived ones"
    NOT_WHILE_DEPLOYING = "not while deploying"
    NOT_WITHOUT_INTEGRATIONS = "not without integrations"
    NOT_AFTER_FAILURE = "not after failure"


MISSING_INTEGRATION = "MISSING_INTEGRATION"
"""The error code of a deployment that lacks integrations."""


def state_of(instance: ProcessInstance, current: DeploymentInstance | None) -> InstanceState:
    """Return an installation's state; ``current`` is its latest deployment.

    A deployment that lacks integrations failed too. The state names the cause.
    """
    if instance.archived:
        return InstanceState.ARCHIVED
    if current is not None and not current.deployment_status.is_terminal:
        return InstanceState.DEPLOYING
    failed = current is not None and current.deployment_status is DeploymentStatus.FAILED
    lacks = failed and current is not None and current.error_code == MISSING_INTEGRATION
    if lacks or (not instance.is_active and instance.inactive_reason is InactiveReason.MISSING_INTEGRATION):
        return InstanceState.MISSING_INTEGRATION
    if failed or instance.live_deployment_instance_id is None:
        return InstanceState.DEPLOY_FAILED
    return InstanceState.ACTIVE if instance.is_active else InstanceState.PAUSED


def verdict(action: Action, state: InstanceState, is_active: bool) -> Verdict:
    """Return what becomes of an action in a state.

    An installation whose update failed may be active all the same: its version before still runs.
    """
    match action:
        case Action.ACTIVATE if state is InstanceState.ARCHIVED:
            return Verdict.NOT_ARCHIVED_ONES
        case Action.ACTIVATE if is_active:
            return Verdict.DONE_ALREADY
        case Action.DEACTIVATE if state is InstanceState.ARCHIVED:
            return Verdict.DONE_ALREADY
        case Action.ARCHIVE if state is InstanceState.ARCHIVED:
            return Verdict.DONE_ALREADY
        case Action.UNARCHIVE:
            return Verdict.DO if state is InstanceState.ARCHIVED else Verdict.DONE_ALREADY
        case _ if state is InstanceState.DEPLOYING:
            return Verdict.NOT_WHILE_DEPLOYING
        case Action.ARCHIVE:
            return Verdict.DO
        case Action.DEACTIVATE:
            return Verdict.DO if is_active else Verdict.DONE_ALREADY
        case _:
            return _REFUSED.get(state, Verdict.DO)


_REFUSED = {
    InstanceState.MISSING_INTEGRATION: Verdict.NOT_WITHOUT_INTEGRATIONS,
    InstanceState.DEPLOY_FAILED: Verdict.NOT_AFTER_FAILURE,
}
