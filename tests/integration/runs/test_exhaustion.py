"""Every state of an account meets everything that can happen to it (platform §17, decision 0023)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest

from shared.errors import Conflict, InsufficientCredits
from shared.model.account import Account, CreditPolicy
from shared.model.audit import AuditAction
from shared.model.credit_alert import CreditAlert
from shared.model.credits import micro
from shared.model.events import EventType, OutEvent
from shared.model.instance import InactiveReason
from shared.model.ledger import EntryKind, LedgerEntry, day_of
from shared.model.organization import Organization
from shared.model.plans import Plan
from shared.services.credits.change import enter, set_policy
from shared.services.credits.flags import flag
from shared.services.credits.gate import admit
from shared.services.credits.settle import settle
from shared.services.organizations.plan import set_plan
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Create, Delete, Patch, Put
from tests.integration.world.audits import events
from tests.integration.world.installations import Installation
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World

PRO = 10_000
BEFORE = {"plenty": 2_500, "low": 500, "exhausted": 0, "over": -50}
"""Credits that are left, of the 10,000 of a month on plan pro."""
TOLD = {"plenty": [], "low": [80], "exhausted": [80, 100], "over": [80, 100]}
BLOCK, RECORD = CreditPolicy.BLOCK, CreditPolicy.RECORD
LISTENED = [EventType.CREDITS_LOW.value, EventType.CREDITS_EXHAUSTED.value]


@dataclass(frozen=True)
class Org:
    """An organization with an account in some state, and an installation that says so."""

    platform: Platform
    id: str
    instance_id: str

    async def account(self) -> Account:
        found = await self.platform.store.get(refs.account(self.id))
        assert found is not None
        return found.value

    async def refuses(self) -> bool:
        try:
            await admit(self.platform, self.id, 600)
        except InsufficientCredits as error:
            return (error.status, error.code) == (402, "INSUFFICIENT_CREDITS")
        return False


async def run(org: Org) -> None:
    """A run of 600 credits that had begun before ends with success."""
    now = org.platform.sources.now()
    entry = LedgerEntry(
        entry_id=org.platform.sources.uuid7(),
        organization_id=org.id,
        kind=EntryKind.CHARGE,
        amount=-micro(600),
        created_at=now,
        day=day_of(now),
        settled=False,
    )
    await org.platform.store.commit(Create(refs.ledger_entry(org.id, entry.entry_id), entry))


async def top_up(org: Org) -> None:
    await enter(org.platform, "operator", org.id, EntryKind.GRANT, micro(40), "Sorry")


async def new_month(org: Org) -> None:
    """The account is found in the month before: the next one to look begins this one."""
    account, now = await org.account(), org.platform.sources.now()
    last_month = f"{now.replace(day=1) - timedelta(days=1):%Y-%m}"
    await org.platform.store.commit(
        Put(refs.account(org.id), account.model_copy(update={"period": last_month}))
    )


async def larger_plan(org: Org) -> None:
    await set_plan(org.platform, "operator", org.id, Plan.BUSINESS, 0)


async def smaller_plan(org: Org) -> None:
    await set_plan(org.platform, "operator", org.id, Plan.FREE, 0)


async def other_policy(org: Org) -> None:
    policy = RECORD if (await org.account()).policy is BLOCK else BLOCK
    await set_policy(org.platform, "operator", org.id, policy)


Happening = Callable[[Org], Awaitable[None]]
EVENTS: dict[Happening, dict[str, int]] = {
    run: {"plenty": 1_900, "low": -100, "exhausted": -600, "over": -650},
    top_up: {"plenty": 2_540, "low": 540, "exhausted": 40, "over": -10},
    new_month: dict.fromkeys(BEFORE, PRO),
    larger_plan: {"plenty": 42_500, "low": 40_500, "exhausted": 40_000, "over": 39_950},
    smaller_plan: BEFORE,
    other_policy: BEFORE,
}
"""What is left after each."""
NEWLY_TOLD: dict[tuple[str, Happening], list[int]] = {("plenty", run): [80], ("low", run): [100]}
"""Every other pair tells nobody anything."""


async def org_in(
    world: World, installed: Installation, left: int, told: list[int], policy: CreditPolicy
) -> Org:
    platform = world.platform
    org = Org(platform, platform.sources.auto_id(), platform.sources.uuid7())
    now, exhausted = platform.sources.now(), left <= 0 and policy is BLOCK
    account = Account(
        organization_id=org.id,
        plan=Plan.PRO,
        policy=policy,
        period=f"{now:%Y-%m}",
        granted=micro(PRO),
        balance=micro(left),
        used=micro(PRO - left),
        alerts=told,
        exhausted=exhausted,
        flagged=exhausted,
        subscriptions=LISTENED,
    )
    organization = await platform.store.get(refs.organization(installed.tenant.organization_id))
    instance = await platform.store.get(refs.instance(installed.id))
    assert organization is not None
    assert instance is not None
    changes = {"organization_id": org.id, "live_deployment_instance_id": "it", "is_active": not exhausted}
    changes["inactive_reason"] = InactiveReason.CREDITS_EXHAUSTED if exhausted else None
    tenant: Organization = organization.value.model_copy(update={"plan": Plan.PRO})
    await platform.store.commit(
        Put(refs.organization(org.id), tenant),
        Put(refs.account(org.id), account),
        Put(refs.instance(org.instance_id), instance.value.model_copy(update=changes)),
    )
    return org


async def flagged(platform: Platform, organization_id: str) -> None:
    """Have the installations say what the account says; a task of the gateway may be doing so as well."""
    async with asyncio.timeout(10):
        while True:
            with suppress(Conflict):
                await flag(platform, organization_id)
                return
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
async def template(world: World) -> Installation:
    return await world.install()


@pytest.mark.parametrize("happens", EVENTS, ids=lambda event: event.__name__)
@pytest.mark.parametrize("policy", CreditPolicy)
@pytest.mark.parametrize("state", BEFORE)
async def test_what_happens_to_an_account_flags_refuses_and_tells(
    world: World,
    template: Installation,
    state: str,
    policy: CreditPolicy,
    happens: Happening,
) -> None:
    org = await org_in(world, template, BEFORE[state], TOLD[state], policy)

    await happens(org)
    await settle(org.platform, org.id)
    await flagged(org.platform, org.id)

    left, enforced = EVENTS[happens][state], (policy is BLOCK) is (happens is not other_policy)
    refused, account = left <= 0 and enforced, await org.account()
    instance = await org.platform.store.get(refs.instance(org.instance_id))
    assert instance is not None
    assert account.balance == micro(left)
    assert (account.exhausted, account.flagged, await org.refuses()) == (refused, refused, refused)
    assert (instance.value.is_active, instance.value.inactive_reason) == (
        not refused,
        "credits_exhausted" if refused else None,
    )
    new = NEWLY_TOLD.get((state, happens), [])
    assert account.alerts == ([] if happens is new_month else [*TOLD[state], *new])
    await only_told(world, org, new)


async def only_told(world: World, org: Org, levels: list[int]) -> None:
    """Check that audit log, events and mails tell of these levels, each once."""
    for level, action, type_ in (
        (80, AuditAction.CREDITS_RUN_LOW, EventType.CREDITS_LOW),
        (100, AuditAction.CREDITS_EXHAUSTED, EventType.CREDITS_EXHAUSTED),
    ):
        count = levels.count(level)
        sent = below(refs.organization(org.id), "events", OutEvent).where("type", "==", type_.value)
        mails = below(refs.organization(org.id), "creditAlerts", CreditAlert).where("percent", "==", level)
        assert len(await events(world, org.id, action)) == count
        assert len(await find(org.platform.store, sent)) == count
        assert len(await find(org.platform.store, mails)) == count


async def test_a_level_that_is_reached_again_in_the_same_month_is_not_told_again(
    world: World, template: Installation
) -> None:
    org = await org_in(world, template, BEFORE["plenty"], [], BLOCK)
    for happens in (run, run, run, run, run, top_up, run, larger_plan):
        await happens(org)
        await settle(org.platform, org.id)
    await asyncio.gather(*(run(org) for _ in range(70)))
    await settle(org.platform, org.id)

    assert (await org.account()).balance < 0
    await only_told(world, org, [80, 100])


@pytest.fixture
async def tenant(world: World) -> Tenant:
    return await world.tenant("Many installations")


async def installations(world: World, tenant: Tenant, number: int) -> list[str]:
    """Record installations that are active."""
    made = await world.install(tenant)
    found = await world.platform.store.get(refs.instance(made.id))
    assert found is not None
    one = found.value.model_copy(update={"live_deployment_instance_id": "it"})
    ids = [made.id, *(world.platform.sources.uuid7() for _ in range(number - 1))]
    await world.platform.store.commit(*(Put(refs.instance(instance_id), one) for instance_id in ids))
    return ids


async def test_more_installations_than_a_page_say_it_and_come_back_whatever_some_of_them_are(
    world: World, tenant: Tenant
) -> None:
    """Of the first page all are archived while they are off: they must not hold up the second one."""
    platform, organization_id = world.platform, tenant.organization_id
    ids = sorted(await installations(world, tenant, 115))
    await enter(platform, "operator", organization_id, EntryKind.ADJUSTMENT, -micro(1000), "Test")
    await flagged(platform, organization_id)
    states = [one.value for one in await platform.store.fetch(*map(refs.instance, ids)) if one]
    assert {(one.is_active, one.inactive_reason) for one in states} == {(False, "credits_exhausted")}

    await platform.store.commit(*(Patch(refs.instance(one), {"archived": True}) for one in ids[:60]))
    await enter(platform, "operator", organization_id, EntryKind.GRANT, micro(2000), "Test")
    await flagged(platform, organization_id)

    states = [one.value for one in await platform.store.fetch(*map(refs.instance, ids)) if one]
    assert [one.is_active for one in states] == [False] * 60 + [True] * 55
    account = await platform.store.get(refs.account(organization_id))
    assert account is not None
    assert account.value.flagged is False


async def test_an_installation_that_cannot_say_it_yet_holds_up_no_other(world: World, tenant: Tenant) -> None:
    platform = world.platform
    ids = sorted(await installations(world, tenant, 53))
    until = platform.sources.now() + timedelta(minutes=5)
    held = Patch(refs.instance(ids[0]), {"deploying": "somebody", "deploying_until": until})
    await platform.store.commit(held)
    await enter(platform, "operator", tenant.organization_id, EntryKind.ADJUSTMENT, -micro(1000), "Test")

    answer = await world.deliver("flagExhaustion", {"organizationId": tenant.organization_id})

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "DEPLOYMENT_IN_PROGRESS")
    # The task that was booked with the entry may be at one of them at this moment.
    async with asyncio.timeout(20):
        while await actives(platform, ids) != [True] + [False] * 52:
            await asyncio.sleep(0.05)


async def actives(platform: Platform, ids: list[str]) -> list[bool]:
    return [one.value.is_active for one in await platform.store.fetch(*map(refs.instance, ids)) if one]


async def test_the_month_of_an_exhausted_organization_begins_by_itself(world: World, tenant: Tenant) -> None:
    """Nobody has to trigger anything first: the task is booked when it is exhausted."""
    platform, organization_id = world.platform, tenant.organization_id
    (instance_id,) = await installations(world, tenant, 1)
    await enter(platform, "operator", organization_id, EntryKind.ADJUSTMENT, -micro(1000), "Test")
    await flagged(platform, organization_id)
    ((name, due),) = (await world.booked("credits", f"renew-{organization_id}")).items()
    now = platform.sources.now()
    assert now < due <= now + timedelta(days=30)
    assert due.day == 1 or due - now > timedelta(days=28)

    await platform.store.commit(
        Patch(refs.account(organization_id), {"period": "2026-01"}),
        Delete(refs.ledger_entry(organization_id, f"{now:%Y-%m}-grant")),
    )
    answer = await world.deliver("flagExhaustion", {"organizationId": organization_id})

    assert answer.status_code == 200, (name, answer.text)
    found = await platform.store.get(refs.instance(instance_id))
    assert found is not None
    assert (found.value.is_active, found.value.inactive_reason) == (True, None)
