"""The ledger of an organization's credits: entries are added and never changed (platform §17)."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from shared.model.credits import micro
from shared.model.document import Document
from shared.model.execution import Execution, ExecutionStatus


class EntryKind(StrEnum):
    """Why a balance changes."""

    GRANT = "grant"
    EXPIRY = "expiry"
    CHARGE = "charge"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"


class LedgerEntry(Document):
    """One change of a balance. ``amount`` is in micro-credits, negative for what is taken.

    ``settled`` alone ever changes: it says that the account's balance contains the entry.
    """

    entry_id: str
    organization_id: str
    kind: EntryKind
    amount: int
    created_at: datetime
    day: str
    """``2026-11-23``, in UTC."""
    settled: bool
    by: str | None = None
    """The user who did it; absent for what the platform does by itself."""
    reason: str | None = None
    execution_id: str | None = None
    process_instance_id: str | None = None
    workflow_id: str | None = None


def day_of(moment: datetime) -> str:
    """Return the day a moment is in, in UTC: ``2026-11-23``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d")


def charge_for(run: Execution, now: datetime) -> LedgerEntry | None:
    """Return what is charged for a run that ended; ``None`` if it is free: it failed, or costs nothing."""
    amount = micro(run.cost)
    if run.status is not ExecutionStatus.SUCCESS or amount <= 0:
        return None
    return LedgerEntry(
        entry_id=run.execution_id,
        organization_id=run.organization_id,
        kind=EntryKind.CHARGE,
        amount=-amount,
        created_at=now,
        day=day_of(now),
        settled=False,
        execution_id=run.execution_id,
        process_instance_id=run.process_instance_id,
        workflow_id=run.workflow_id,
    )
