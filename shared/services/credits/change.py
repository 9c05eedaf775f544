"""Change an account by hand: its policy, its plan, credits given or taken; each is in the audit log."""

from __future__ import annotations

from collections.abc import Callable

from shared.errors import InvalidRequest
from shared.model.account import Account, CreditPolicy, monthly_grant
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.balance import judged
from shared.model.credits import in_credits
from shared.model.ledger import EntryKind, LedgerEntry, day_of
from shared.model.plans import Plan
from shared.services.audit import audited
from shared.services.credits.alerts import alerts
from shared.services.credits.opening import account_of
from shared.services.credits.settle import follow
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Create, Found, Patch, Write

BY_HAND = (EntryKind.GRANT, EntryKind.REFUND, EntryKind.ADJUSTMENT)


async def set_policy(
    platform: Platform, actor: ApiKey | str, organization_id: str, policy: CreditPolicy
) -> Account:
    """Return the account under its policy.

    Raises:
        NotFound (``ORGANIZATION_NOT_FOUND``), Conflict (``TRY_AGAIN``).
    """
    entry = audited(
        platform,
        actor,
        AuditAction.CREDIT_POLICY_SET,
        organization_id,
        organization_id,
        policy=policy.value,
    )
    return await _changed(
        platform, organization_id, lambda account: account.model_copy(update={"policy": policy}), entry
    )


async def enter(
    platform: Platform,
    actor: ApiKey | str,
    organization_id: str,
    kind: EntryKind,
    amount: int,
    reason: str,
) -> Account:
    """Return the account after an entry of ``amount`` micro-credits; what is negative is taken.

    Raises:
        InvalidRequest: not a kind, or an amount, that is entered by hand.
        NotFound (``ORGANIZATION_NOT_FOUND``), Conflict (``TRY_AGAIN``).
    """
    if kind not in BY_HAND or amount == 0 or (amount < 0 and kind is not EntryKind.ADJUSTMENT):
        raise InvalidRequest("Grant and refund give credits; only an adjustment may take some.")
    entry = by_hand(platform, actor, organization_id, kind, amount, reason)
    used = amount if kind is EntryKind.REFUND else 0

    def change(account: Account) -> Account:
        return account.model_copy(update={"balance": account.balance + amount, "used": account.used - used})

    return await _changed(
        platform,
        organization_id,
        change,
        Create(refs.ledger_entry(organization_id, entry.entry_id), entry),
        audited(
            platform,
            actor,
            AuditAction.CREDITS_ADJUSTED,
            organization_id,
            organization_id,
            kind=kind.value,
            credits=in_credits(amount),
            reason=reason,
        ),
    )


def on_plan(
    platform: Platform, actor: ApiKey | str, found: Found[Account], plan: Plan
) -> tuple[Account, list[Write]]:
    """Return an account on a plan, and the writes of that.

    A larger plan grants at once what it grants more than the one before. A smaller one takes nothing: it
    counts from the next month on.
    """
    account = found.value
    more = max(0, monthly_grant(plan) - account.granted)
    changes = {"plan": plan, "granted": account.granted + more, "balance": account.balance + more}
    account, _ = judged(account.model_copy(update=changes))
    writes: list[Write] = [Patch(found.ref, _kept(account), found.update_time)]
    if more:
        reason = f"Plan {plan.value}"
        entry = by_hand(platform, actor, account.organization_id, EntryKind.GRANT, more, reason)
        writes.append(Create(refs.ledger_entry(account.organization_id, entry.entry_id), entry))
    return account, writes


def by_hand(
    platform: Platform, actor: ApiKey | str, organization_id: str, kind: EntryKind, amount: int, reason: str
) -> LedgerEntry:
    """Return an entry that somebody made; it is written with the balance it changes."""
    now = platform.sources.now()
    return LedgerEntry(
        entry_id=platform.sources.uuid7(),
        organization_id=organization_id,
        kind=kind,
        amount=amount,
        created_at=now,
        day=day_of(now),
        settled=True,
        by=actor.user_id if isinstance(actor, ApiKey) else actor,
        reason=reason,
    )


def _kept(account: Account) -> dict[str, object]:
    """Return what changes of an account together with its balance."""
    return account.model_dump(exclude={"subscriptions", "flagged"})


async def _changed(
    platform: Platform, organization_id: str, change: Callable[[Account], Account], *also: Write
) -> Account:
    async def attempt() -> Account:
        found = await account_of(platform, organization_id)
        account, reached = judged(change(found.value))
        patch = Patch(found.ref, _kept(account), found.update_time)
        telling = alerts(platform, account, reached)
        await telling.book(platform)
        await platform.store.commit(patch, *also, *telling.writes)
        return account

    account = await until_undisturbed(attempt)
    await follow(platform, account)
    return account
