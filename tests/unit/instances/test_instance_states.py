"""The states of an installation and what may be done in each (platform §4, §11.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from shared.model.deployment import DeploymentInstance, DeploymentStatus
from shared.model.instance import Environment, InactiveReason, ProcessInstance
from shared.model.instance_events import Event
from shared.model.instance_state import InstanceState, Verdict, state_of, verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
S, V = InstanceState, Verdict
USERS = (Event.ACTIVATED, Event.PAUSED, Event.ARCHIVED, Event.UNARCHIVED, Event.UNINSTALLED)


def instance(**fields: object) -> ProcessInstance:
    stored: dict[str, object] = {
        "user_id": "u",
        "organization_id": "o",
        "process_id": "p",
        "project_id": "r",
        "environment": Environment.DEV,
        "title": "T",
        "current_version": "1.0",
        "current_deployment_instance_id": "d",
        "live_deployment_instance_id": "d",
        "instance_key": "sealed",
        "installed_at": NOW,
    }
    return ProcessInstance.model_validate(stored | fields)


def deployment(status: DeploymentStatus, error_code: str | None = None) -> DeploymentInstance:
    return DeploymentInstance(
        organization_id="o",
        process_instance_id="i",
        process_id="p",
        project_id="r",
        template_id="t",
        version="1.0",
        deployment_status=status,
        error_code=error_code,
        created_at=NOW,
    )


@pytest.mark.parametrize(
    ("fields", "status", "error_code", "state"),
    [
        ({"archived": True, "uninstalled_at": NOW}, "deployed", None, S.UNINSTALLED),
        ({"archived": True, "is_active": True}, "failed", None, S.ARCHIVED),
        ({"archived": True}, "deploying", None, S.ARCHIVED),
        ({"is_active": True}, "deploying", None, S.DEPLOYING),
        ({}, "pending", None, S.DEPLOYING),
        ({"is_active": True}, "updating", None, S.DEPLOYING),
        ({}, "failed", None, S.DEPLOY_FAILED),
        ({"is_active": True}, "failed", None, S.DEPLOY_FAILED),
        ({}, "failed", "MISSING_INTEGRATION", S.MISSING_INTEGRATION),
        ({"inactive_reason": "missing_integration"}, "deployed", None, S.MISSING_INTEGRATION),
        ({"is_active": True, "inactive_reason": "missing_integration"}, "deployed", None, S.ACTIVE),
        ({"live_deployment_instance_id": None}, "deployed", None, S.DEPLOY_FAILED),
        ({"inactive_reason": "deploy_failed"}, "deployed", None, S.DEPLOY_FAILED),
        ({"inactive_reason": "user_paused"}, "deployed", None, S.PAUSED),
        ({"inactive_reason": "auto_toggled"}, "deployed", None, S.PAUSED),
        ({"is_active": True}, "deployed", None, S.ACTIVE),
    ],
)
def test_the_first_state_that_applies_is_the_one_shown(
    fields: dict[str, object], status: str, error_code: str | None, state: InstanceState
) -> None:
    assert state_of(instance(**fields), deployment(DeploymentStatus(status), error_code)) is state


# fmt: off
EXPECTED = {
    # what becomes of activate, pause, archive, unarchive, uninstall: first while inactive, then while active
    S.UNINSTALLED: (
        (V.NOT_UNINSTALLED_ONES, V.DONE_ALREADY, V.DONE_ALREADY, V.NOT_UNINSTALLED_ONES, V.DONE_ALREADY),
        (V.NOT_UNINSTALLED_ONES, V.DONE_ALREADY, V.DONE_ALREADY, V.NOT_UNINSTALLED_ONES, V.DONE_ALREADY),
    ),
    S.ARCHIVED: (
        (V.NOT_ARCHIVED_ONES, V.DONE_ALREADY, V.DONE_ALREADY, V.DO, V.DO),
        (V.NOT_ARCHIVED_ONES, V.DONE_ALREADY, V.DONE_ALREADY, V.DO, V.DO),
    ),
    S.DEPLOYING: (
        (V.NOT_WHILE_DEPLOYING, *[V.NOT_WHILE_DEPLOYING] * 2, V.DONE_ALREADY, V.NOT_WHILE_DEPLOYING),
        (V.DONE_ALREADY, *[V.NOT_WHILE_DEPLOYING] * 2, V.DONE_ALREADY, V.NOT_WHILE_DEPLOYING),
    ),
    S.MISSING_INTEGRATION: (
        (V.NOT_WITHOUT_INTEGRATIONS, V.DONE_ALREADY, V.DO, V.DONE_ALREADY, V.DO),
        (V.DONE_ALREADY, V.DO, V.DO, V.DONE_ALREADY, V.DO),
    ),
    S.DEPLOY_FAILED: (
        (V.NOT_AFTER_FAILURE, V.DONE_ALREADY, V.DO, V.DONE_ALREADY, V.DO),
        (V.DONE_ALREADY, V.DO, V.DO, V.DONE_ALREADY, V.DO),
    ),
    S.PAUSED: (
        (V.DO, V.DONE_ALREADY, V.DO, V.DONE_ALREADY, V.DO),
        (V.DONE_ALREADY, V.DO, V.DO, V.DONE_ALREADY, V.DO),
    ),
    S.ACTIVE: (
        (V.DO, V.DONE_ALREADY, V.DO, V.DONE_ALREADY, V.DO),
        (V.DONE_ALREADY, V.DO, V.DO, V.DONE_ALREADY, V.DO),
    ),
}
# fmt: on


@pytest.mark.parametrize(("state", "is_active"), list(product(S, (False, True))))
def test_what_becomes_of_every_wish_of_a_user_in_every_state_is_decided(
    state: InstanceState, is_active: bool
) -> None:
    assert tuple(verdict(event, state, is_active) for event in USERS) == EXPECTED[state][is_active]


def test_what_happens_without_anybody_wishing_it_has_no_verdict() -> None:
    for event in set(Event) - set(USERS):
        with pytest.raises(ValueError, match="not for users"):
            verdict(event, S.ACTIVE, True)


def test_only_a_deployed_paused_installation_is_ever_activated() -> None:
    booleans, codes = (False, True), (None, "MISSING_INTEGRATION", "N8N_REFUSED")
    statuses = (None, *DeploymentStatus)
    everything = product(booleans, booleans, (None, *InactiveReason), (None, "d"), statuses, codes)
    for archived, is_active, reason, live, status, error_code in everything:
        fields = {"archived": archived, "is_active": is_active, "inactive_reason": reason}
        of = instance(live_deployment_instance_id=live, **fields)
        current = deployment(status, error_code) if status else None

        decided = verdict(Event.ACTIVATED, state_of(of, current), is_active)

        may = (
            not archived
            and not is_active
            and live is not None
            and status in (None, DeploymentStatus.DEPLOYED)
            and reason not in (InactiveReason.MISSING_INTEGRATION, InactiveReason.DEPLOY_FAILED)
        )
        assert (decided is Verdict.DO) is may, (fields, live, status, error_code)
