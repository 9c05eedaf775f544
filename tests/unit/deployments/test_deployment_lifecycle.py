from __future__ import annotations

from itertools import product

import pytest

from shared.model.deployment import DeploymentStatus
from shared.services.deployments.lifecycle import TRANSITIONS, at_work, may_become

P, D, L, U, F = (
    DeploymentStatus.PENDING,
    DeploymentStatus.DEPLOYING,
    DeploymentStatus.DEPLOYED,
    DeploymentStatus.UPDATING,
    DeploymentStatus.FAILED,
)
ALLOWED = {(P, D), (D, L), (D, F), (L, U), (U, L), (U, F), (F, D)}


@pytest.mark.parametrize(("before", "after"), list(product(DeploymentStatus, DeploymentStatus)))
def test_a_deployment_changes_its_status_as_the_contract_says_and_no_other_way(
    before: DeploymentStatus, after: DeploymentStatus
) -> None:
    assert may_become(before, after) is ((before, after) in ALLOWED)


def test_every_status_has_its_transitions() -> None:
    assert TRANSITIONS.keys() == set(DeploymentStatus)


@pytest.mark.parametrize(("before", "working"), [(P, D), (F, D), (L, U), (D, D), (U, U)])
def test_a_worker_gives_it_the_status_of_what_it_does(
    before: DeploymentStatus, working: DeploymentStatus
) -> None:
    assert at_work(before) is working
    assert not working.is_terminal
    assert {L, F} == TRANSITIONS[working]
