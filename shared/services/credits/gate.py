"""Whether an organization's new runs are accepted: not without credits (decision: credits exhausted).

Far from empty the account is enough, and is looked at once a second. Near the edge charges that are not
settled yet count too: whoever sees a run succeed and starts the next one meets what that run left.
"""

from __future__ import annotations

from shared.errors import InsufficientCredits
from shared.model.account import Account, CreditPolicy, period_of
from shared.model.balance import is_far_from_empty
from shared.model.credits import micro
from shared.services.credits.queues import book, flag_task, settle_task
from shared.services.credits.settle import settle, unsettled
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found

_MOST_UNSETTLED = 200
_LOOKS = 5


async def admit(platform: Platform, organization_id: str, cost: float) -> None:
    """Return if a run of ``cost`` credits may begin. One read at most, unless hardly any credits are left.

    Raises:
        InsufficientCredits: the balance is 0 or less. Runs in flight may have overdrawn it.
    """
    if (organization_id, cost) in platform.solvent:
        return
    found = await _account(platform, organization_id)
    if found is None:
        return
    if found.value.policy is CreditPolicy.RECORD or is_far_from_empty(found.value, micro(cost)):
        platform.solvent.is_new((organization_id, cost))
        return
    if await exact_balance(platform, found) <= 0:
        await book(platform, settle_task(organization_id, platform.sources.now()))
        raise exhausted()


async def look_again(platform: Platform, organization_id: str) -> None:
    """Have installations that are off for want of credits come back, if there are credits by now.

    The month begins with whoever asks first in it, also where nothing could begin.
    """
    found = await _account(platform, organization_id)
    if found is not None and not found.value.exhausted:
        await book(platform, flag_task(organization_id, platform.sources.now()))


async def exact_balance(platform: Platform, found: Found[Account]) -> int:
    """Return an account's balance in micro-credits with all that was charged by now."""
    organization_id = found.value.organization_id
    for _ in range(_LOOKS):
        entries = await unsettled(platform, organization_id, _MOST_UNSETTLED)
        if len(entries) == _MOST_UNSETTLED:
            await settle(platform, organization_id)
        again = await platform.store.get(found.ref)
        # Entries that a settler took in between are in the balance that was read before, or they are not.
        is_still = again is None or again.update_time == found.update_time
        found = again or found
        if is_still:
            break
    return found.value.balance + sum(entry.value.amount for entry in entries)


def exhausted() -> InsufficientCredits:
    """Return the refusal of a new run."""
    return InsufficientCredits(
        "The organization has no credits left. Upgrade its plan, wait for next month's credits, or set its "
        "credit policy to record.",
        code="INSUFFICIENT_CREDITS",
    )


async def _account(platform: Platform, organization_id: str) -> Found[Account] | None:
    reference = refs.account(organization_id)
    found = await platform.store.get(reference)
    if found is None or found.value.period != period_of(platform.sources.now()):
        # The first run of a month, or of an organization from before there were accounts.
        await settle(platform, organization_id)
        found = await platform.store.get(reference)
    return found
