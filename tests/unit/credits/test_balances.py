"""The arithmetic of an account (platform §17, decision 0023)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.account import Account, CreditPolicy, monthly_grant
from shared.model.balance import brought_up, is_far_from_empty, judged, opened, renewed, settled
from shared.model.credits import MICRO, in_credits, micro
from shared.model.ledger import EntryKind, LedgerEntry, day_of
from shared.model.plans import Plan
from shared.model.usage import DailyUsage, with_charges

NOVEMBER = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, 0, 1, tzinfo=UTC)

amounts = st.integers(1, 10**12)
moments = st.datetimes(datetime(2026, 11, 1), datetime(2026, 12, 31), timezones=st.just(UTC))


def charge(amount: int, at: datetime, workflow: str = "main") -> LedgerEntry:
    return LedgerEntry(
        entry_id="e",
        organization_id="north",
        kind=EntryKind.CHARGE,
        amount=-amount,
        created_at=at,
        day=day_of(at),
        settled=False,
        process_instance_id="p",
        workflow_id=workflow,
    )


def account(plan: Plan = Plan.FREE) -> Account:
    return opened("north", plan, NOVEMBER)[0]


@pytest.mark.parametrize(("cost", "expected"), [(0.02, 20_000), (1, MICRO), (0.1 + 0.2, 300_000), (0, 0)])
def test_costs_become_whole_micro_credits(cost: float, expected: int) -> None:
    assert micro(cost) == expected


@given(st.integers(-(10**12), 10**12))
def test_micro_credits_and_credits_are_the_same_amount(amount: int) -> None:
    assert micro(in_credits(amount)) == amount
    assert Decimal(str(in_credits(amount))) * MICRO == amount


@given(st.lists(st.tuples(amounts, moments), max_size=30), st.integers(1, 8), st.data())
def test_however_entries_are_paged_the_ledger_adds_up_to_the_balance(
    charges: list[tuple[int, datetime]], page: int, data: st.DataObject
) -> None:
    first, ledger = opened("north", data.draw(st.sampled_from(Plan)), NOVEMBER)
    waiting = sorted((charge(amount, at) for amount, at in charges), key=lambda entry: entry.created_at)
    ledger += waiting
    now = max([NOVEMBER, *(entry.created_at for entry in waiting)]) + timedelta(minutes=5)
    one = first
    while True:
        taken, waiting = waiting[:page], waiting[page:]
        one, written = brought_up(one, taken, len(taken) < page, now)
        ledger += written
        if len(taken) < page:
            break

    assert sum(entry.amount for entry in ledger) == one.balance
    assert one.period == now.strftime("%Y-%m")
    spent = sum(amount for amount, at in charges if at.strftime("%Y-%m") == one.period)
    assert (one.balance, one.used) == (monthly_grant(one.plan) - spent, spent)


@given(st.integers(-(10**9), 10**9), st.sampled_from(Plan))
def test_a_month_begins_with_the_plans_grant_whatever_was_left_or_owed(left: int, plan: Plan) -> None:
    before = account(plan).model_copy(update={"balance": left, "used": 7, "alerts": [80]})

    after, entries = renewed(before, DECEMBER)

    assert (after.balance, after.used, after.alerts, after.period) == (monthly_grant(plan), 0, [], "2026-12")
    assert left + sum(entry.amount for entry in entries) == after.balance
    assert {entry.entry_id for entry in entries} <= {"2026-12-grant", "2026-12-expiry"}
    assert all(entry.settled for entry in entries)


def test_the_month_begins_once() -> None:
    one, written = brought_up(account(), [], True, DECEMBER)
    again, nothing = brought_up(one, [], True, DECEMBER)

    assert [entry.kind for entry in written] == ["expiry", "grant"]
    assert (again, nothing) == (one, [])


def test_a_clock_that_is_behind_does_not_bring_the_month_before_back() -> None:
    one, _ = brought_up(account(), [], True, DECEMBER)

    assert brought_up(one, [], True, NOVEMBER) == (one, [])


@given(st.lists(amounts, max_size=20))
def test_each_level_is_announced_once_and_only_when_it_is_reached(spent: list[int]) -> None:
    one, announced = account(Plan.PRO), list[int]()
    for amount in spent:
        one, new = judged(settled(one, [charge(amount, NOVEMBER)]))
        announced += new

    share = Decimal(sum(spent)) / monthly_grant(Plan.PRO)
    expected = [level for level in (80, 100) if share * 100 >= level]
    assert announced == expected == one.alerts


@given(amounts, st.sampled_from(CreditPolicy))
def test_nothing_left_means_exhausted_unless_the_policy_is_to_record(
    spent: int, policy: CreditPolicy
) -> None:
    one = account().model_copy(update={"policy": policy})

    one, _ = judged(settled(one, [charge(spent, NOVEMBER)]))

    assert one.exhausted is (policy is CreditPolicy.BLOCK and spent >= monthly_grant(Plan.FREE))


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**10))
def test_an_account_that_is_far_from_empty_survives_a_hundred_runs(balance: int, cost: int) -> None:
    one = account().model_copy(update={"balance": balance})

    if is_far_from_empty(one, cost):
        assert balance - 100 * cost > 0
        assert balance > 0


def test_usage_adds_up_what_workflows_cost_on_its_own_day() -> None:
    entries = [charge(5, NOVEMBER), charge(6, NOVEMBER), charge(7, NOVEMBER, "b"), charge(8, DECEMBER)]

    usage = with_charges(with_charges(DailyUsage(day="2026-11-30"), entries[:1]), entries[1:])

    assert [(row.workflow_id, row.runs, row.amount) for row in usage.workflows] == [
        ("main", 2, 11),
        ("b", 1, 7),
    ]
