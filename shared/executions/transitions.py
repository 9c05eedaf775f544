"""How a run may end: once, and a repeated final callback changes nothing (platform §4, decision 14)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from shared.model.execution import ExecutionStatus

TRANSITIONS: Mapping[ExecutionStatus, frozenset[ExecutionStatus]] = {
    ExecutionStatus.PENDING: frozenset({ExecutionStatus.SUCCESS, ExecutionStatus.FAILED}),
    ExecutionStatus.SUCCESS: frozenset(),
    ExecutionStatus.FAILED: frozenset(),
}
"""Status → the ones it may change to. What is not listed is forbidden."""


class Settlement(Enum):
    """What becomes of a final callback."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    REFUSED = "refused"


def may_become(status: ExecutionStatus, next_status: ExecutionStatus) -> bool:
    """Return whether a run may change from one status to the other."""
    return next_status in TRANSITIONS[status]


def settle(
    status: ExecutionStatus, recorded_digest: str | None, next_status: ExecutionStatus, digest: str
) -> Settlement:
    """Return what to do with a final callback, by the run's status and the outcome recorded for it.

    The first writer wins; an identical repeat is harmless; anything else is refused.
    """
    if may_become(status, next_status):
        return Settlement.ACCEPTED
    if status is next_status and recorded_digest is not None and recorded_digest == digest:
        return Settlement.REPEATED
    return Settlement.REFUSED
