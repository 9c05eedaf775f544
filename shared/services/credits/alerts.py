"""Tell that a share of the month's credits is gone: once a month and level (platform §17).

Audit log, event and mail follow from the commit that finds it: their tasks are booked before, and end by
themselves if the commit never comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.model.account import Account
from shared.model.audit import AuditAction
from shared.model.credit_alert import CreditAlert
from shared.model.credits import in_credits
from shared.model.events import EventType
from shared.services.audit import audited
from shared.services.credits.queues import mail_task
from shared.services.events.announce import Announcement, announced
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Put, Write
from shared.tasks.spec import TaskSpec

_PLATFORM = "platform"
"""The actor in the audit log of what nobody asked for."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """What belongs into the commit of an account that reached a level, and the tasks to book before."""

    writes: list[Write]
    tasks: list[TaskSpec]

    async def book(self, platform: Platform) -> None:
        """Book what tells of it.

        Raises:
            Internal: the queue fails.
        """
        for task in self.tasks:
            await platform.queue.create(task)


def alerts(platform: Platform, account: Account, levels: Iterable[int]) -> Alerts:
    """Return what tells that an account reached these levels (in percent).

    Of several at once the highest is mailed: it says what the others say.
    """
    reached = sorted(levels)
    events = [event for level in reached if (event := _announced(platform, account, level))]
    made = Alerts(
        [_audited(platform, account, level) for level in reached] + [event.write for event in events],
        [event.task for event in events],
    )
    for level in reached[-1:]:
        alert = _alert(platform, account, level)
        reference = refs.credit_alert(account.organization_id, account.period, level)
        made.writes.append(Put(reference, alert))
        made.tasks.append(mail_task(account.organization_id, account.period, level))
    return made


def _audited(platform: Platform, account: Account, level: int) -> Write:
    return audited(
        platform,
        _PLATFORM,
        AuditAction.CREDITS_RUN_LOW if level < 100 else AuditAction.CREDITS_EXHAUSTED,
        account.organization_id,
        account.organization_id,
        percent=level,
        balance=in_credits(account.balance),
    )


def _announced(platform: Platform, account: Account, level: int) -> Announcement | None:
    """Return the event of reaching a level, if anybody listens to it."""
    type_ = EventType.CREDITS_LOW if level < 100 else EventType.CREDITS_EXHAUSTED
    if type_.value not in account.subscriptions:
        return None
    return announced(
        platform,
        account.organization_id,
        type_,
        account.organization_id,
        {"percent": level, "period": account.period, "balance": in_credits(account.balance)},
        occasion=f"{account.period}-{level}",
    )


def _alert(platform: Platform, account: Account, level: int) -> CreditAlert:
    return CreditAlert(
        organization_id=account.organization_id,
        period=account.period,
        percent=level,
        granted=account.granted,
        balance=account.balance,
        plan=account.plan,
        policy=account.policy,
        created_at=platform.sources.now(),
    )
