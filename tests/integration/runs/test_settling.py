"""Settlers die anywhere and race each other: the ledger adds up to the balance (decision 0023)."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator

import pytest

from shared.model.account import Account
from shared.model.ledger import EntryKind, LedgerEntry, day_of
from shared.model.usage import DailyUsage
from shared.services.credits import settle as settling
from shared.services.credits.settle import settle
from shared.services.faults import listen
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Create
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World

LARGE = os.environ.get("CHAOS_SIZE") == "large"
ROUNDS, CHARGES, SETTLERS = (150, 40, 8) if LARGE else (8, 15, 5)


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@pytest.fixture
async def tenant(world: World) -> Tenant:
    return await world.tenant("Settlers")


@pytest.fixture
def killing() -> Iterator[random.Random]:
    """Kill half of those who reach a point of settling."""
    chance = random.Random(20261123)

    def kill(name: str) -> None:
        if name.startswith("credits.") and chance.random() < 0.5:
            raise Killed(name)

    listen(kill)
    yield chance
    listen(None)


async def charge(platform: Platform, tenant: Tenant, amount: int) -> None:
    now = platform.sources.now()
    entry = LedgerEntry(
        entry_id=platform.sources.uuid7(),
        organization_id=tenant.organization_id,
        kind=EntryKind.CHARGE,
        amount=-amount,
        created_at=now,
        day=day_of(now),
        settled=False,
        process_instance_id="p",
        workflow_id="main",
    )
    await platform.store.commit(Create(refs.ledger_entry(tenant.organization_id, entry.entry_id), entry))


async def entries(platform: Platform, tenant: Tenant) -> list[LedgerEntry]:
    query = below(refs.organization(tenant.organization_id), "ledger", LedgerEntry)
    return [found.value for found in await find(platform.store, query)]


async def account(platform: Platform, tenant: Tenant) -> Account:
    found = await platform.store.get(refs.account(tenant.organization_id))
    assert found is not None
    return found.value


async def test_the_ledger_adds_up_whatever_is_killed_and_however_many_settle_at_once(
    world: World, tenant: Tenant, killing: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "PAGE", 7)
    kills, spent = 0, 0
    for _ in range(ROUNDS):
        amounts = [killing.randint(1, 10**6) for _ in range(CHARGES)]
        spent += sum(amounts)
        results = await asyncio.gather(
            *(charge(world.platform, tenant, amount) for amount in amounts),
            *(settle(world.platform, tenant.organization_id) for _ in range(SETTLERS)),
            return_exceptions=True,
        )
        kills += sum(isinstance(result, Killed) for result in results)
        assert not [r for r in results if isinstance(r, Exception)]
        known = await entries(world.platform, tenant)
        seen = await account(world.platform, tenant)
        assert sum(entry.amount for entry in known if entry.settled) == seen.balance
    listen(None)

    await settle(world.platform, tenant.organization_id)

    known, seen = await entries(world.platform, tenant), await account(world.platform, tenant)
    print(f"{ROUNDS * CHARGES} charges, {ROUNDS * SETTLERS} settlers, {kills} killed")
    assert kills > 0
    assert sum(entry.amount for entry in known) == seen.balance == 200_000_000 - spent
    assert all(entry.settled for entry in known)
    days = below(refs.organization(tenant.organization_id), "creditUsage", DailyUsage)
    rows = [row for day in await find(world.platform.store, days) for row in day.value.workflows]
    assert (sum(row.runs for row in rows), sum(row.amount for row in rows)) == (ROUNDS * CHARGES, spent)
