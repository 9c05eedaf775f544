"""Credits: balance, usage, the ledger, and what happens when they are used up (platform §17)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.account import CreditPolicy
from shared.model.credits import in_credits
from shared.model.document import Document, Timestamp
from shared.model.ledger import EntryKind, LedgerEntry, day_of
from shared.model.plans import Plan
from shared.model.scopes import Scope
from shared.services.credits.access import governed_account, readable_account
from shared.services.credits.change import set_policy
from shared.services.credits.reading import MOST_DAYS, balance, ledger, usage

_READERS = keys(O, P, A, scopes=(Scope.API_KEYS_MANAGE,), management=True)
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Credits = int | float


class OfOrganization(Document):
    """Names an organization where the key belongs to none, or to a user with several."""

    organization_id: str | None = None


class CreditsShown(Document):
    """What is left. ``used`` is what this month's runs cost; ``alerts`` are the percentages announced."""

    organization_id: str
    plan: Plan
    period: str
    credits_per_month: Credits
    balance: Credits
    used: Credits
    credit_policy: CreditPolicy
    exhausted: bool
    alerts: list[int]


@endpoint(
    "GET",
    "getCredits",
    access=_READERS,
    envelope=Envelope.DATA,
    request=OfOrganization,
    response=CreditsShown,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def get_credits(call: Call[OfOrganization]) -> CreditsShown:
    """Return an organization's balance and plan. Runs that just ended are in it."""
    organization_id = await readable_account(call.platform, call.caller, call.body.organization_id)
    account, exact = await balance(call.platform, organization_id)
    return CreditsShown(
        organization_id=organization_id,
        plan=account.plan,
        period=account.period,
        credits_per_month=in_credits(account.granted),
        balance=in_credits(exact),
        used=in_credits(account.used + account.balance - exact),
        credit_policy=account.policy,
        exhausted=exact <= 0 and account.policy is CreditPolicy.BLOCK,
        alerts=account.alerts,
    )


class UsageQuery(Document):
    """The days to show, both included; the last 31 at most. Days are in UTC."""

    organization_id: str | None = None
    since: Day | None = None
    until: Day | None = None


class UsageRow(Document):
    """What one workflow of one installation cost on a day."""

    day: str
    process_instance_id: str
    workflow_id: str
    runs: int
    credits: Credits


class UsageShown(Document):
    """Runs that were charged, by day and workflow."""

    usage: list[UsageRow]


@endpoint(
    "GET",
    "getCreditUsage",
    access=_READERS,
    envelope=Envelope.DATA,
    request=UsageQuery,
    response=UsageShown,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def get_credit_usage(call: Call[UsageQuery]) -> UsageShown:
    """Return what workflows cost, day by day; a run is in it a moment after it ended."""
    query = call.body
    organization_id = await readable_account(call.platform, call.caller, query.organization_id)
    now = call.platform.sources.now()
    since = query.since or day_of(now - timedelta(days=MOST_DAYS - 1))
    days = await usage(call.platform, organization_id, since, query.until or day_of(now))
    rows = [
        UsageRow(
            day=day.day,
            process_instance_id=row.process_instance_id,
            workflow_id=row.workflow_id,
            runs=row.runs,
            credits=in_credits(row.amount),
        )
        for day in days
        for row in day.workflows
    ]
    return UsageShown(usage=rows)


class LedgerQuery(Document):
    """The query of a page. ``limit`` above 100 counts as 100."""

    organization_id: str | None = None
    kind: EntryKind | None = None
    after: str | None = None
    limit: int = Field(default=50, ge=1)


class LedgerRow(Document):
    """An entry; ``credits`` is negative for what was taken."""

    entry_id: str
    kind: EntryKind
    credits: Credits
    created_at: Timestamp
    by: str | None = None
    reason: str | None = None
    execution_id: str | None = None
    process_instance_id: str | None = None
    workflow_id: str | None = None


class LedgerPage(Document):
    """Entries, newest first; ``next`` is there when older ones follow, to be sent as ``after``."""

    entries: list[LedgerRow]
    next: str | None = None


@endpoint(
    "GET",
    "listCreditLedger",
    access=_READERS,
    envelope=Envelope.DATA,
    request=LedgerQuery,
    response=LedgerPage,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_credit_ledger(call: Call[LedgerQuery]) -> LedgerPage:
    """List what was given to and taken from an organization's credits, newest first."""
    query = call.body
    organization_id = await readable_account(call.platform, call.caller, query.organization_id)
    page = await ledger(call.platform, organization_id, kind=query.kind, after=query.after, limit=query.limit)
    return LedgerPage(entries=[_row(entry) for entry in page.entries], next=page.following)


def _row(entry: LedgerEntry) -> LedgerRow:
    shown = entry.model_dump(include=set(LedgerRow.model_fields))
    return LedgerRow(**shown, credits=in_credits(entry.amount))


class SetPolicy(Document):
    """What becomes of new runs once no credits are left."""

    organization_id: str | None = None
    credit_policy: CreditPolicy


class PolicySet(Document):
    """The policy in force."""

    organization_id: str
    credit_policy: CreditPolicy


@endpoint(
    "POST",
    "setCreditPolicy",
    access=_READERS,
    envelope=Envelope.DATA,
    request=SetPolicy,
    response=PolicySet,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def set_credit_policy(call: Call[SetPolicy]) -> PolicySet:
    """Say whether runs are refused, or go on and are recorded, once no credits are left; for owners."""
    organization_id = await governed_account(call.platform, call.caller, call.body.organization_id)
    account = await set_policy(call.platform, call.caller, organization_id, call.body.credit_policy)
    return PolicySet(organization_id=organization_id, credit_policy=account.policy)
