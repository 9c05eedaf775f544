import itertools

import pytest

from shared.executions.transitions import TRANSITIONS, Settlement, may_become, settle
from shared.model.execution import ExecutionStatus

PENDING, SUCCESS, FAILED = ExecutionStatus.PENDING, ExecutionStatus.SUCCESS, ExecutionStatus.FAILED


def test_every_status_is_decided() -> None:
    assert set(TRANSITIONS) == set(ExecutionStatus)


@pytest.mark.parametrize(("status", "next_status"), list(itertools.product(ExecutionStatus, repeat=2)))
def test_a_run_only_ever_goes_from_pending_to_an_end(
    status: ExecutionStatus, next_status: ExecutionStatus
) -> None:
    assert may_become(status, next_status) is (status is PENDING and next_status is not PENDING)


@pytest.mark.parametrize("outcome", [SUCCESS, FAILED])
def test_the_first_outcome_is_accepted_and_its_repeat_is_harmless(outcome: ExecutionStatus) -> None:
    assert settle(PENDING, None, outcome, "digest") is Settlement.ACCEPTED
    assert settle(outcome, "digest", outcome, "digest") is Settlement.REPEATED


@pytest.mark.parametrize(
    ("status", "recorded", "next_status", "digest"),
    [
        (SUCCESS, "one", SUCCESS, "other"),
        (SUCCESS, "one", FAILED, "one"),
        (FAILED, "one", SUCCESS, "one"),
        (FAILED, None, FAILED, "one"),
        (PENDING, None, PENDING, "one"),
    ],
)
def test_any_other_second_outcome_is_refused(
    status: ExecutionStatus, recorded: str | None, next_status: ExecutionStatus, digest: str
) -> None:
    assert settle(status, recorded, next_status, digest) is Settlement.REFUSED
