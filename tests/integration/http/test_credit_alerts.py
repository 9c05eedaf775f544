"""Alerts about credits, by mail to owners and admins: once a month and level (platform §17)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from infra.local.mail.mailbox import CaughtMail
from shared.model.credit_alert import CreditAlert
from shared.model.ledger import EntryKind
from shared.services.credits.change import enter
from shared.services.credits.mail import mail_alert
from shared.services.events.announce import WAITED_FOR, NotYet
from shared.store import refs
from shared.store.store import Found, Patch
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World

CREDIT = 1_000_000


@pytest.fixture
async def tenant(world: World) -> Tenant:
    """An organization whose people have addresses."""
    tenant = await world.tenant("Mailed\r\nBcc: <all@example.org>")
    for user in tenant.users.values():
        await world.platform.store.commit(Patch(refs.user(user), {"email": address(user)}))
    return tenant


def address(user_id: str) -> str:
    return f"{user_id.lower()}@people.example"


def mails(world: World, tenant: Tenant, user: str) -> list[CaughtMail]:
    return list(world.servers.mailbox.mails(address(tenant.users[user])))


async def spend(world: World, tenant: Tenant, credits: int) -> None:
    amount = -credits * CREDIT
    await enter(world.platform, "somebody", tenant.organization_id, EntryKind.ADJUSTMENT, amount, "Test")


async def alert(world: World, tenant: Tenant, percent: int) -> Found[CreditAlert]:
    """Return an alert of this month once nobody works at it any more."""
    period = f"{world.platform.sources.now():%Y-%m}"
    async with asyncio.timeout(10):
        while True:
            found = await world.platform.store.get(refs.credit_alert(tenant.organization_id, period, percent))
            if found is not None and found.value.mailed:
                return found
            await asyncio.sleep(0.02)


async def test_owners_and_admins_are_mailed_at_80_and_at_100_percent_once_each(
    world: World, tenant: Tenant
) -> None:
    await spend(world, tenant, 159)
    await spend(world, tenant, 1)
    low = await alert(world, tenant, 80)
    await spend(world, tenant, 41)
    used_up = await alert(world, tenant, 100)
    await spend(world, tenant, 5)
    orders = [
        {"organizationId": tenant.organization_id, "period": one.value.period, "percent": one.value.percent}
        for one in (low, used_up)
    ]
    again = [await world.deliver("mailCreditAlert", order) for order in orders]

    assert [answer.json()["data"]["outcome"] for answer in again] == ["mailed before"] * 2
    for user in ("owner", "admin"):
        second, first = mails(world, tenant, user)
        assert first.subject == "Mailed Bcc: <all@example.org> has used 80 % of its credits"
        assert second.subject == "Mailed Bcc: <all@example.org> has used up its credits"
        assert "of the 200 credits of plan free" in first.text
        assert "40 are left" in first.text
        assert "-1 are left" in second.text
        assert "New runs are refused until" in second.text
        assert first.html is not None
        assert "&lt;all@example.org&gt;" not in first.text
    assert [*mails(world, tenant, "member"), *mails(world, tenant, "guest")] == []


async def test_several_workers_at_once_mail_an_alert_once(world: World, tenant: Tenant) -> None:
    await spend(world, tenant, 160)
    found = await alert(world, tenant, 80)
    undone = {"mailed": False, "mailed_to": [tenant.users["admin"]]}
    await world.platform.store.commit(Patch(found.ref, undone))

    place = tenant.organization_id, found.value.period, 80
    results = await asyncio.gather(
        *(mail_alert(world.platform, *place, 0) for _ in range(6)), return_exceptions=True
    )

    assert set(map(type, results)) <= {str, NotYet}
    assert len(mails(world, tenant, "owner")) == 2
    assert len(mails(world, tenant, "admin")) == 1


async def test_a_mail_server_that_refuses_delays_the_mail_and_nothing_else(
    world: World, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spend(world, tenant, 160)
    found = await alert(world, tenant, 80)
    await world.platform.store.commit(Patch(found.ref, {"mailed": False, "mailed_to": []}))
    place = tenant.organization_id, found.value.period, 80
    with monkeypatch.context() as broken:
        broken.setattr(world.platform, "_mail_configuration", unconfigured)
        broken.delitem(world.platform.__dict__, "mailer", raising=False)
        with pytest.raises(NotYet):
            await mail_alert(world.platform, *place, 0)
    world.platform.__dict__.pop("mailer", None)

    await spend(world, tenant, 41)
    outcome = await mail_alert(world.platform, *place, 1)

    assert outcome == "mailed to 2"
    assert len(mails(world, tenant, "owner")) >= 2


async def unconfigured() -> str:
    return '{"kind": "none"}'


async def test_an_alert_that_was_never_committed_or_is_a_day_old_is_not_mailed(
    world: World, tenant: Tenant
) -> None:
    place = tenant.organization_id, "2026-11"
    with pytest.raises(NotYet):
        await mail_alert(world.platform, *place, 80, 0)
    assert await mail_alert(world.platform, *place, 80, WAITED_FOR) == "never committed"

    await spend(world, tenant, 160)
    found = await alert(world, tenant, 80)
    late = {"mailed": False, "created_at": found.value.created_at - timedelta(days=2)}
    await world.platform.store.commit(Patch(found.ref, late))
    assert await mail_alert(world.platform, tenant.organization_id, found.value.period, 80, 0) == "given up"
