"""Whoever ends runs or settles dies anywhere, and they race: ledger and balance agree (decision 0023)."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.errors import Conflict as EndedOtherwise
from shared.model.account import Account
from shared.model.execution import ExecutionStatus
from shared.model.ledger import EntryKind, LedgerEntry
from shared.model.usage import DailyUsage
from shared.services.credits import settle as settling
from shared.services.credits.settle import settle
from shared.services.faults import listen
from shared.services.platform import Platform
from shared.services.runs.finish import finish
from shared.services.runs.trigger import new_execution
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.query import below, find
from shared.store.store import Create
from tests.integration.world.installations import Installation
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World

LARGE = os.environ.get("CHAOS_SIZE") == "large"
ROUNDS, RUNS, SETTLERS = (40, 50, 8) if LARGE else (4, 12, 4)
POINTS = ("finish.before_commit", "finish.committed", "credits.before_settling", "credits.settled")


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@dataclass
class Attack:
    """Kills a part of those who reach a point, and counts what happened."""

    chance: random.Random = field(default_factory=lambda: random.Random(20261123))
    kills: Counter[str] = field(default_factory=Counter)
    conflicts: int = 0

    def at(self, point: str) -> None:
        # The first one at each point always dies: however they race, every point is met.
        if point in POINTS and (not self.kills[point] or self.chance.random() < 0.3):
            self.kills[point] += 1
            raise Killed(point)


@pytest.fixture
async def tenant(world: World) -> Tenant:
    return await world.tenant("Settlers")


@pytest.fixture
async def installed(world: World, tenant: Tenant) -> Installation:
    return await world.install(tenant)


@pytest.fixture
def attack(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attack]:
    attack = Attack()
    commit = world.platform.store.commit

    async def counting(*writes: Any) -> Any:
        try:
            return await commit(*writes)
        except StoreConflict:
            attack.conflicts += 1
            raise

    monkeypatch.setattr(world.platform.store, "commit", counting)
    listen(attack.at)
    yield attack
    listen(None)


async def pending(platform: Platform, installed: Installation, costs: list[int]) -> dict[str, int]:
    """Record runs of these costs, in micro-credits; return what each costs."""
    endpoint = await installed.endpoint()
    runs = [new_execution(platform, endpoint, trigger_id="t1", trigger_type="http") for _ in costs]
    for run, cost in zip(runs, costs, strict=True):
        run.cost = cost / 1_000_000
    creates = (Create(refs.execution(installed.id, run.execution_id), run) for run in runs)
    await platform.store.commit(*creates)
    return {run.execution_id: cost for run, cost in zip(runs, costs, strict=True)}


async def end(installed: Installation, execution_id: str, *, succeeds: bool) -> None:
    """Report a run's end as n8n does; one that ended otherwise before stays as it is."""
    outcome: dict[str, object] = {"status": ExecutionStatus.FAILED, "error_details": {"message": "No"}}
    if succeeds:
        outcome = {"status": ExecutionStatus.SUCCESS, "result_data": "1"}
    organization_id = installed.tenant.organization_id
    with suppress(EndedOtherwise):
        await finish(installed.platform, installed.id, execution_id, organization_id, outcome)


async def ends(installed: Installation, runs: list[str]) -> dict[str, ExecutionStatus]:
    """Return how runs ended."""
    references = [refs.execution(installed.id, run) for run in runs]
    found = [
        one
        for n in range(0, len(runs), 250)
        for one in await installed.platform.store.fetch(*references[n : n + 250])
    ]
    return {one.value.execution_id: one.value.status for one in found if one}


async def account(platform: Platform, tenant: Tenant) -> Account:
    found = await platform.store.get(refs.account(tenant.organization_id))
    assert found is not None
    return found.value


async def ledger(platform: Platform, tenant: Tenant) -> list[LedgerEntry]:
    query = below(refs.organization(tenant.organization_id), "ledger", LedgerEntry)
    return [found.value for found in await find(platform.store, query)]


async def test_the_ledger_adds_up_whoever_is_killed_and_however_many_end_runs_and_settle_at_once(
    world: World,
    tenant: Tenant,
    installed: Installation,
    attack: Attack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Besides these, the gateway settles as the tasks of the runs tell it to."""
    monkeypatch.setattr(settling, "PAGE", 7)
    platform, costs, began = world.platform, dict[str, int](), time.monotonic()
    rounds = 0
    while rounds < ROUNDS or (len(+attack.kills) < len(POINTS) and rounds < 3 * ROUNDS):
        rounds += 1
        new = await pending(platform, installed, [attack.chance.randint(1, 10**6) for _ in range(RUNS)])
        costs |= new
        results = await asyncio.gather(
            *(end(installed, run, succeeds=True) for run in new),
            *(end(installed, run, succeeds=bool(number % 3)) for number, run in enumerate(new)),
            *(settle(platform, tenant.organization_id) for _ in range(SETTLERS)),
            return_exceptions=True,
        )
        assert [r for r in results if r is not None and not isinstance(r, Killed | int)] == []
    listen(None)

    # Whoever was killed before the commit is repeated, as n8n repeats a report that was not answered.
    runs = await ends(installed, list(costs))
    left = [run for run, ended in runs.items() if ended is ExecutionStatus.PENDING]
    await asyncio.gather(*(end(installed, run, succeeds=True) for run in left))
    await settle(platform, tenant.organization_id)

    known, seen = await ledger(platform, tenant), await account(platform, tenant)
    ended = await ends(installed, list(costs))
    spent = {run: cost for run, cost in costs.items() if ended[run] is ExecutionStatus.SUCCESS}
    charges = {one.execution_id: -one.amount for one in known if one.kind is EntryKind.CHARGE}
    print(
        f"\n{len(costs)} runs, {len(left)} begun again, {len(spent)} charged, {rounds * SETTLERS} settlers, "
        f"{attack.conflicts} conflicts, "
        f"killed {dict(attack.kills)}, {time.monotonic() - began:.0f} s, difference "
        f"{sum(one.amount for one in known) - seen.balance}"
    )
    assert set(+attack.kills) == set(POINTS)
    assert charges == spent
    assert sum(one.kind is EntryKind.CHARGE for one in known) == len(spent)
    assert sum(entry.amount for entry in known) == seen.balance == 200_000_000 - sum(spent.values())
    assert all(entry.settled for entry in known)
    days = below(refs.organization(tenant.organization_id), "creditUsage", DailyUsage)
    rows = [row for day in await find(platform.store, days) for row in day.value.workflows]
    assert (sum(row.runs for row in rows), sum(row.amount for row in rows)) == (
        len(spent),
        sum(spent.values()),
    )
