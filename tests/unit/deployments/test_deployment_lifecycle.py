from __future__ import annotations

import pytest

from shared.model.deployment import DeploymentStatus
from shared.model.transitions import TRANSITIONS
from shared.services.deployments.lifecycle import at_work

P, D, L, U, F = (
    DeploymentStatus.PENDING,
    DeploymentStatus.DEPLOYING,
    DeploymentStatus.DEPLOYED,
    DeploymentStatus.UPDATING,
    DeploymentStatus.FAILED,
)


@pytest.mark.parametrize(("before", "working"), [(P, D), (F, D), (L, U), (D, D), (U, U)])
def test_a_worker_gives_it_the_status_of_what_it_does(
    before: DeploymentStatus, working: DeploymentStatus
) -> None:
    assert at_work(before) is working
    assert not working.is_terminal
    assert {L, F} == TRANSITIONS[DeploymentStatus][working]
