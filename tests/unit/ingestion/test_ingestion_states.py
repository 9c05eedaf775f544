"""The states of a data ingestion (platform §4)."""

from __future__ import annotations

from itertools import product

import pytest

from shared.model.ingestion import IngestionStatus

P, A, F, I, S = (  # noqa: E741 - initials of the states
    IngestionStatus.PENDING,
    IngestionStatus.ACTIVE,
    IngestionStatus.FAILED,
    IngestionStatus.INACTIVE,
    IngestionStatus.SUPERSEDED,
)

ALLOWED = {(P, A), (P, F), (A, S), (A, I)}


@pytest.mark.parametrize(("before", "after"), list(product(IngestionStatus, repeat=2)))
def test_every_pair_of_states_is_a_transition_or_refused(
    before: IngestionStatus, after: IngestionStatus
) -> None:
    if (before, after) in ALLOWED:
        assert before.to(after) is after
    else:
        with pytest.raises(ValueError, match=f"{before.value} cannot become {after.value}"):
            before.to(after)


def test_what_failed_was_superseded_or_switched_off_stays_so() -> None:
    assert {status for status in IngestionStatus if status.is_final} == {F, I, S}
