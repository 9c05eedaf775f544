"""What an organization's runs cost on a day, workflow by workflow; added up when charges are settled."""

from __future__ import annotations

from collections.abc import Iterable

from shared.model.document import Document
from shared.model.ledger import EntryKind, LedgerEntry


class WorkflowUsage(Document):
    """The charged runs of one workflow of one installation; ``amount`` is in micro-credits."""

    process_instance_id: str
    workflow_id: str
    runs: int
    amount: int


class DailyUsage(Document):
    """A day, ``2026-11-23`` in UTC."""

    day: str
    workflows: list[WorkflowUsage] = []


def with_charges(usage: DailyUsage, entries: Iterable[LedgerEntry]) -> DailyUsage:
    """Return a day's usage with the charges among ``entries`` that are of it."""
    rows = {(row.process_instance_id, row.workflow_id): row for row in usage.workflows}
    for entry in entries:
        if entry.kind is not EntryKind.CHARGE or entry.day != usage.day:
            continue
        of = (entry.process_instance_id or "", entry.workflow_id or "")
        row = rows.get(of) or WorkflowUsage(process_instance_id=of[0], workflow_id=of[1], runs=0, amount=0)
        rows[of] = row.model_copy(update={"runs": row.runs + 1, "amount": row.amount - entry.amount})
    return DailyUsage(day=usage.day, workflows=list(rows.values()))
