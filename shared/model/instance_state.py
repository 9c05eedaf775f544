"""What state an installation is in, and what may be done to it there (platform §4, §11.3). Pure."""

from __future__ import annotations

from enum import StrEnum

from shared.model.deployment import DeploymentInstance, DeploymentStatus
from shared.model.instance import ProcessInstance
from shared.model.instance_events import Event, Standing, standing_of


class InstanceState(StrEnum):
    """The state a user is shown."""

    UNINSTALLED = "uninstalled"
    ARCHIVED = "archived"
    DEPLOYING = "deploying"
    """A deployment is at work; what comes out of it is not known yet."""
    MISSING_INTEGRATION = "missing_integration"
    DEPLOY_FAILED = "deploy_failed"
    PAUSED = "paused"
    ACTIVE = "active"


class Verdict(StrEnum):
    """What becomes of what a user wants."""

    DO = "do"
    DONE_ALREADY = "done already"
    NOT_ARCHIVED_ONES = "not archived ones"
    NOT_UNINSTALLED_ONES = "not uninstalled ones"
    NOT_WHILE_DEPLOYING = "not while deploying"
    NOT_WITHOUT_INTEGRATIONS = "not without integrations"
    NOT_AFTER_FAILURE = "not after failure"


MISSING_INTEGRATION = "MISSING_INTEGRATION"
"""The error code of a deployment that lacks integrations."""


def state_of(instance: ProcessInstance, current: DeploymentInstance | None) -> InstanceState:
    """Return an installation's state; ``current`` is its latest deployment.

    A deployment that lacks integrations failed too. The state names the cause.
    """
    if instance.uninstalled_at is not None:
        return InstanceState.UNINSTALLED
    if instance.archived:
        return InstanceState.ARCHIVED
    if current is not None and not current.deployment_status.is_terminal:
        return InstanceState.DEPLOYING
    failed = current is not None and current.deployment_status is DeploymentStatus.FAILED
    lacks = failed and current is not None and current.error_code == MISSING_INTEGRATION
    standing = standing_of(instance)
    if lacks or standing is Standing.MISSING_INTEGRATION:
        return InstanceState.MISSING_INTEGRATION
    if failed or standing is Standing.DEPLOY_FAILED or instance.live_deployment_instance_id is None:
        return InstanceState.DEPLOY_FAILED
    return InstanceState.ACTIVE if standing is Standing.ACTIVE else InstanceState.PAUSED


def verdict(event: Event, state: InstanceState, is_active: bool) -> Verdict:
    """Return what becomes of what a user wants to do to an installation in a state.

    An installation whose update failed may be active all the same: its version before still runs.
    """
    if state is InstanceState.DEPLOYING and not _is_done(event, state, is_active):
        return Verdict.NOT_WHILE_DEPLOYING
    if event in (Event.ACTIVATED, Event.UNARCHIVED) and state is InstanceState.UNINSTALLED:
        return Verdict.NOT_UNINSTALLED_ONES
    if event is Event.ACTIVATED and state is InstanceState.ARCHIVED:
        return Verdict.NOT_ARCHIVED_ONES
    if _is_done(event, state, is_active):
        return Verdict.DONE_ALREADY
    return _REFUSED.get(state, Verdict.DO) if event is Event.ACTIVATED else Verdict.DO


def _is_done(event: Event, state: InstanceState, is_active: bool) -> bool:
    put_away = state in (InstanceState.ARCHIVED, InstanceState.UNINSTALLED)
    match event:
        case Event.ACTIVATED:
            return is_active
        case Event.PAUSED:
            return put_away or (not is_active and state is not InstanceState.DEPLOYING)
        case Event.ARCHIVED:
            return put_away
        case Event.UNARCHIVED:
            return not put_away
        case Event.UNINSTALLED:
            return state is InstanceState.UNINSTALLED
        case _:
            raise ValueError(f"{event.value} is not for users to decide")


_REFUSED = {
    InstanceState.MISSING_INTEGRATION: Verdict.NOT_WITHOUT_INTEGRATIONS,
    InstanceState.DEPLOY_FAILED: Verdict.NOT_AFTER_FAILURE,
}
