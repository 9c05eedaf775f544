"""How long a run is kept: Firestore removes it, with what it was given and returned, by its ``expireAt``."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.model.account import Account
from shared.model.execution import Execution
from shared.model.plans import ALLOWANCES, Plan
from shared.services.platform import Platform
from shared.store import refs


def kept_until(ended: datetime, account: Account | None) -> datetime:
    """Return when a run that ended then is removed, by the plan of its organization.

    A run that has not ended has no such moment: it is never removed.
    """
    plan = account.plan if account else Plan.FREE
    return ended + timedelta(days=ALLOWANCES[plan].run_days)


async def kept_until_by(platform: Platform, run: Execution) -> datetime:
    """Return the same for a run that is recorded when it has failed already: one read."""
    account = await platform.store.get(refs.account(run.organization_id))
    return kept_until(run.created_at, account.value if account else None)
