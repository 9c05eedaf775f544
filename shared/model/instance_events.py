"""What every event makes of an installation: the only place that decides whether it is active, and why not.

Two tables say it all (platform §4, decision 0019): what a deployment that succeeds makes of each standing, by
what it was for, and what everything else does. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shared.model.deployment import Purpose
from shared.model.instance import InactiveReason, ProcessInstance


class Standing(StrEnum):
    """What an installation's document says of it. Whether it is archived is said beside."""

    NEW = "new"
    """Off, and nothing said: its first deployment has not ended."""
    ACTIVE = "active"
    USER_PAUSED = InactiveReason.USER_PAUSED
    DEPLOY_FAILED = InactiveReason.DEPLOY_FAILED
    MISSING_INTEGRATION = InactiveReason.MISSING_INTEGRATION
    AUTO_TOGGLED = InactiveReason.AUTO_TOGGLED
    CREDITS_EXHAUSTED = InactiveReason.CREDITS_EXHAUSTED
    ARCHIVED = InactiveReason.ARCHIVED
    """It was active when it was archived or uninstalled."""


class Event(StrEnum):
    """What happens to an installation, apart from its deployments."""

    ACTIVATED = "activated"
    PAUSED = "paused"
    TOGGLED = "toggled"
    """The owner's other environment went live, and only one may (decision 15)."""
    INTEGRATION_LOST = "integration lost"
    INTEGRATION_RESTORED = "integration restored"
    """It is active again by a deployment that repeats the last one."""
    CREDITS_EXHAUSTED = "credits exhausted"
    CREDITS_REPLENISHED = "credits replenished"
    ARCHIVED = "archived"
    UNARCHIVED = "unarchived"
    UNINSTALLED = "uninstalled"


class Outcome(StrEnum):
    """How a deployment ended."""

    DEPLOYED = "deployed"
    FAILED = "failed"
    LACKING = "lacking integrations"
    BROKEN = "failed, and n8n does not take back what ran"


BROKEN = frozenset({Standing.DEPLOY_FAILED, Standing.MISSING_INTEGRATION})
"""What a deployment that is repeated may mend."""

_N, _A, _P, _F, _M, _T, _C, _R = Standing
_Row = tuple[Standing, Standing, Standing, Standing, Standing, Standing, Standing, Standing]

# fmt: off
_DEPLOYED: Mapping[Purpose, _Row] = {
    # before:         NEW ACTIVE PAUSED FAILED MISSING TOGGLED CREDITS ARCHIVED
    Purpose.DEPLOY:  (_A, _A,    _A,    _A,    _A,     _A,     _A,     _A),
    Purpose.PUBLISH: (_A, _A,    _P,    _A,    _A,     _A,     _C,     _R),
    Purpose.INSTALL: (_A, _A,    _A,    _A,    _A,     _A,     _A,     _A),
    Purpose.UPDATE:  (_A, _A,    _P,    _A,    _A,     _T,     _C,     _R),
    Purpose.RERUN:   (_A, _A,    _P,    _A,    _A,     _T,     _C,     _R),
    Purpose.REPAIR:  (_A, _A,    _P,    _A,    _A,     _T,     _C,     _R),
}
_HAPPENED: Mapping[Event, _Row] = {
    # before:                    NEW ACTIVE PAUSED FAILED MISSING TOGGLED CREDITS ARCHIVED
    Event.ACTIVATED:            (_N, _A,    _A,    _F,    _M,     _A,     _A,     _A),
    Event.PAUSED:               (_N, _P,    _P,    _F,    _M,     _T,     _C,     _R),
    Event.TOGGLED:              (_N, _T,    _P,    _F,    _M,     _T,     _C,     _R),
    Event.INTEGRATION_LOST:     (_N, _M,    _P,    _F,    _M,     _T,     _C,     _R),
    Event.INTEGRATION_RESTORED: (_N, _A,    _P,    _F,    _A,     _T,     _C,     _R),
    Event.CREDITS_EXHAUSTED:    (_N, _C,    _P,    _F,    _M,     _T,     _C,     _R),
    Event.CREDITS_REPLENISHED:  (_N, _A,    _P,    _F,    _M,     _T,     _A,     _R),
    Event.ARCHIVED:             (_N, _R,    _P,    _F,    _M,     _T,     _C,     _R),
    Event.UNARCHIVED:           (_N, _A,    _P,    _F,    _M,     _T,     _C,     _P),
    Event.UNINSTALLED:          (_N, _R,    _P,    _F,    _M,     _T,     _C,     _R),
}
# fmt: on

_ARCHIVES = {Event.ARCHIVED: True, Event.UNARCHIVED: False, Event.UNINSTALLED: True}


def standing_of(instance: ProcessInstance) -> Standing:
    """Return what an installation's document says of it."""
    if instance.is_active and instance.live_deployment_instance_id is not None:
        return Standing.ACTIVE
    return Standing(instance.inactive_reason) if instance.inactive_reason else Standing.NEW


def after(event: Event, instance: ProcessInstance) -> dict[str, object]:
    """Return the fields to write of an installation that something happened to.

    What it makes no difference to keeps what it has. One that is archived never becomes active; one that is
    uninstalled stays as it is. Whether a user may do it is :func:`shared.model.instance_state.verdict`'s.
    """
    if instance.uninstalled_at is not None:
        return _fields(instance, standing_of(instance), instance.archived)
    archived = _ARCHIVES.get(event, instance.archived)
    return _fields(instance, _following(_HAPPENED[event], instance), archived)


def ended(purpose: Purpose, outcome: Outcome, instance: ProcessInstance) -> dict[str, object]:
    """Return the fields to write of an installation whose deployment ended.

    What ran goes on running when a deployment fails, unless it cannot be put back. A pause that a success
    would have ended gives way to the failure as the reason.
    """
    if outcome is Outcome.DEPLOYED:
        return _fields(instance, _following(_DEPLOYED[purpose], instance), instance.archived)
    standing = standing_of(instance)
    if standing is Standing.ACTIVE and outcome is Outcome.BROKEN:
        return _fields(instance, Standing.DEPLOY_FAILED, instance.archived)
    if standing is Standing.ACTIVE or not goes_live(purpose, instance):
        return _fields(instance, standing, instance.archived)
    failed = Standing.MISSING_INTEGRATION if outcome is Outcome.LACKING else Standing.DEPLOY_FAILED
    return _fields(instance, failed, instance.archived)


def goes_live(purpose: Purpose, instance: ProcessInstance) -> bool:
    """Return whether a deployment's workflows are to run; else the installation stays off (decision 0015)."""
    return _following(_DEPLOYED[purpose], instance) is Standing.ACTIVE


def is_active_after(event: Event, instance: ProcessInstance) -> bool:
    """Return whether an installation is active once something happened to it."""
    return bool(after(event, instance)["is_active"])


def _following(row: _Row, instance: ProcessInstance) -> Standing:
    before = standing_of(instance)
    following = dict(zip(Standing, row, strict=True))[before]
    gone = instance.archived or instance.uninstalled_at is not None
    return before if gone and following is Standing.ACTIVE else following


def _fields(instance: ProcessInstance, standing: Standing, archived: bool) -> dict[str, object]:
    off = standing not in (Standing.NEW, Standing.ACTIVE)
    fields: dict[str, object] = {
        "is_active": standing is Standing.ACTIVE,
        "inactive_reason": InactiveReason(standing.value) if off else None,
    }
    return fields if archived == instance.archived else {**fields, "archived": archived}
