"""Credits over HTTP: charged, refused, shown, renewed (platform §17, decision 3, decision 0023)."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import pytest

from shared.model.account import Account, CreditPolicy
from shared.model.audit import AuditAction
from shared.model.execution import ExecutionStatus
from shared.model.ledger import EntryKind
from shared.model.plans import Plan
from shared.services.credits.change import enter
from shared.services.credits.settle import settle
from shared.services.organizations.plan import set_plan
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Delete, Patch
from tests.integration.world.audits import events
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import reporting
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World


@pytest.fixture
async def tenant(world: World) -> Tenant:
    """An organization of its own: what others spend is not counted here."""
    return await world.tenant("Spenders")


@pytest.fixture
async def installed(world: World, tenant: Tenant) -> Installation:
    made = await world.install(tenant)
    await costing(made, 150)
    made.behave(reporting(resultData={"done": True}))
    return made


async def costing(installed: Installation, cost: float) -> None:
    await installed.platform.store.commit(Patch(refs.endpoint(installed.id, "main"), {"cost": cost}))


async def ran(gateway: Gateway, installed: Installation) -> None:
    execution_id = await gateway.trigger(installed.path, installed.key)

    async def ended() -> bool:
        state = await gateway.status(installed.id, execution_id, installed.key)
        return bool(state["status"] == "success")

    async with asyncio.timeout(10):
        while not await ended():
            await asyncio.sleep(0.01)


async def shown(gateway: Gateway, tenant: Tenant) -> dict[str, Any]:
    answer = await gateway.get("/getCredits", tenant.keys["owner"])
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def account(platform: Platform, tenant: Tenant) -> Account:
    found = await platform.store.get(refs.account(tenant.organization_id))
    assert found is not None
    return found.value


async def until(world: World, tenant: Tenant, **expected: object) -> None:
    """Wait until the account has these values."""
    async with asyncio.timeout(5):
        while True:
            now = await account(world.platform, tenant)
            if all(getattr(now, name) == value for name, value in expected.items()):
                return
            await asyncio.sleep(0.02)


async def reason_of(world: World, installed: Installation) -> tuple[bool, str | None]:
    found = await world.platform.store.get(refs.instance(installed.id))
    assert found is not None
    return found.value.is_active, found.value.inactive_reason


async def test_the_third_run_is_refused_at_once_when_two_used_up_the_credits(
    world: World, gateway: Gateway, tenant: Tenant, installed: Installation
) -> None:
    await ran(gateway, installed)
    await ran(gateway, installed)

    answer = await gateway.post(f"/webhook/{installed.path}", installed.key)

    assert (answer.status_code, answer.json()["code"]) == (402, "INSUFFICIENT_CREDITS")
    assert len(installed.calls) == 2
    credits = await shown(gateway, tenant)
    assert credits == {
        "organizationId": tenant.organization_id,
        "plan": "free",
        "period": world.platform.sources.now().strftime("%Y-%m"),
        "creditsPerMonth": 200,
        "balance": -100,
        "used": 300,
        "creditPolicy": "block",
        "exhausted": True,
        "alerts": credits["alerts"],
    }


async def test_a_run_that_begins_in_n8n_is_refused_as_well(
    world: World, gateway: Gateway, tenant: Tenant, installed: Installation
) -> None:
    await enter(world.platform, "somebody", tenant.organization_id, EntryKind.ADJUSTMENT, -(10**9), "Test")

    answer = await gateway.callback(
        "createWorkflowExecution",
        {
            "memberSecret": await tenant.member_secret("owner"),
            "organizationId": tenant.organization_id,
            "userId": tenant.users["owner"],
            "processInstanceId": installed.id,
            "workflowId": "main",
            "triggerType": "schedule",
        },
    )

    assert (answer.status_code, answer.json()["code"]) == (402, "INSUFFICIENT_CREDITS")


async def test_runs_in_flight_finish_and_overdraw(
    gateway: Gateway, tenant: Tenant, installed: Installation
) -> None:
    started = await asyncio.gather(*(gateway.trigger(installed.path, installed.key) for _ in range(4)))

    async def ended() -> list[str]:
        states = [await gateway.status(installed.id, one, installed.key) for one in started]
        return [state["status"] for state in states]

    async with asyncio.timeout(10):
        while set(await ended()) != {"success"}:
            await asyncio.sleep(0.02)
    assert (await shown(gateway, tenant))["balance"] == 200 - 4 * 150


async def test_an_organization_that_only_records_is_never_refused(
    gateway: Gateway, tenant: Tenant, installed: Installation
) -> None:
    body = {"creditPolicy": "record"}
    refused = await gateway.post("/setCreditPolicy", tenant.keys["admin"], body)
    answer = await gateway.post("/setCreditPolicy", tenant.keys["owner"], body)

    for _ in range(3):
        await ran(gateway, installed)

    assert (refused.status_code, answer.status_code) == (403, 200)
    credits = await shown(gateway, tenant)
    assert (credits["balance"], credits["exhausted"], credits["creditPolicy"]) == (-250, False, "record")


async def test_charges_reach_the_balance_soon_and_are_shown_by_workflow_and_day(
    world: World, gateway: Gateway, tenant: Tenant, installed: Installation
) -> None:
    await costing(installed, 0.02)
    for _ in range(3):
        await ran(gateway, installed)

    await until(world, tenant, balance=200_000_000 - 60_000)

    answer = await gateway.get("/getCreditUsage", tenant.keys["owner"])
    assert answer.json()["data"]["usage"] == [
        {
            "day": world.platform.sources.now().strftime("%Y-%m-%d"),
            "processInstanceId": installed.id,
            "workflowId": "main",
            "runs": 3,
            "credits": 0.06,
        }
    ]


async def test_the_ledger_is_read_page_by_page_newest_first(
    gateway: Gateway, tenant: Tenant, installed: Installation
) -> None:
    await costing(installed, 1)
    for _ in range(3):
        await ran(gateway, installed)
    seen, after = list[dict[str, Any]](), None

    while True:
        query = {"limit": "2", **({"after": after} if after else {})}
        page = (await gateway.get("/listCreditLedger", tenant.keys["admin"], **query)).json()["data"]
        seen += page["entries"]
        if (after := page.get("next")) is None:
            break

    assert [(row["kind"], row["credits"]) for row in seen] == [*[("charge", -1)] * 3, ("grant", 200)]
    assert len({row["entryId"] for row in seen}) == 4
    assert all(row["executionId"] == row["entryId"] for row in seen[:3])
    only = await gateway.get("/listCreditLedger", tenant.keys["owner"], kind="grant")
    assert len(only.json()["data"]["entries"]) == 1


@pytest.mark.parametrize("path", ["getCredits", "getCreditUsage", "listCreditLedger"])
async def test_members_and_other_organizations_see_no_credits(
    world: World, gateway: Gateway, tenant: Tenant, path: str
) -> None:
    member = await gateway.get(f"/{path}", tenant.keys["member"])
    outsider = await gateway.get(f"/{path}", world.south.keys["owner"], organizationId=tenant.organization_id)

    assert (member.status_code, outsider.status_code) == (403, 403)


async def test_installations_say_that_credits_are_used_up_and_come_back_with_new_ones(
    world: World, gateway: Gateway, tenant: Tenant, installed: Installation
) -> None:
    organization_id = tenant.organization_id
    live = {"live_deployment_instance_id": "its deployment"}
    await world.platform.store.commit(Patch(refs.instance(installed.id), live))
    await enter(world.platform, "somebody", organization_id, EntryKind.ADJUSTMENT, -(10**9), "Test")
    await until(world, tenant, exhausted=True, flagged=True)
    await eventually_is(world, installed, (False, "credits_exhausted"))

    refused = await gateway.post(f"/webhook/{installed.path}", installed.key)
    activated = await gateway.post(
        "/activateProcessInstancePublic", tenant.keys["owner"], {"processInstanceId": installed.id}
    )

    assert (refused.status_code, activated.status_code) == (402, 402)
    assert activated.json()["error"]["code"] == "INSUFFICIENT_CREDITS"
    await enter(world.platform, "somebody", organization_id, EntryKind.GRANT, 2 * 10**9, "Sorry")
    await until(world, tenant, exhausted=False, flagged=False)
    assert await reason_of(world, installed) == (True, None)
    assert (await gateway.post(f"/webhook/{installed.path}", installed.key)).status_code in (200, 202)


async def eventually_is(world: World, installed: Installation, expected: tuple[bool, str | None]) -> None:
    async with asyncio.timeout(5):
        while await reason_of(world, installed) != expected:
            await asyncio.sleep(0.02)


async def test_an_installation_that_is_off_for_want_of_credits_answers_402_even_when_its_endpoint_is_off(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    """A deployment while credits are used up leaves the workflows off."""
    await world.platform.store.commit(
        Patch(refs.endpoint(installed.id, "main"), {"is_active": False}),
        Patch(refs.instance(installed.id), {"is_active": False, "inactive_reason": "credits_exhausted"}),
    )

    answer = await gateway.post(f"/webhook/{installed.path}", installed.key)

    assert (answer.status_code, answer.json()["code"]) == (402, "INSUFFICIENT_CREDITS")


async def test_a_larger_plan_gives_its_credits_at_once(
    world: World, gateway: Gateway, tenant: Tenant, installed: Installation
) -> None:
    for _ in range(2):
        await ran(gateway, installed)
    assert (await gateway.post(f"/webhook/{installed.path}", installed.key)).status_code == 402

    await set_plan(world.platform, "operator", tenant.organization_id, Plan.PRO, 0)

    await ran(gateway, installed)
    credits = await shown(gateway, tenant)
    assert (credits["plan"], credits["balance"]) == ("pro", 10_000 - 450)


async def test_a_new_month_begins_with_the_first_run_and_brings_new_credits(
    world: World, gateway: Gateway, tenant: Tenant, installed: Installation
) -> None:
    last_month = {"period": "2026-01", "balance": -5_000_000, "used": 205_000_000, "alerts": [80, 100]}
    await world.platform.store.commit(Patch(refs.account(tenant.organization_id), last_month))
    period = world.platform.sources.now().strftime("%Y-%m")
    # The grant that came with the account has this month's id.
    grant = refs.ledger_entry(tenant.organization_id, f"{period}-grant")
    await world.platform.store.commit(Delete(grant))

    await ran(gateway, installed)

    credits = await shown(gateway, tenant)
    assert (credits["period"], credits["balance"], credits["used"]) == (period, 50, 150)


async def test_an_organization_from_before_there_were_accounts_gets_one_with_its_first_run(
    world: World, gateway: Gateway, tenant: Tenant, installed: Installation
) -> None:
    period = world.platform.sources.now().strftime("%Y-%m")
    await world.platform.store.commit(Delete(refs.account(tenant.organization_id)))
    await world.platform.store.commit(Delete(refs.ledger_entry(tenant.organization_id, f"{period}-grant")))

    await ran(gateway, installed)

    assert (await shown(gateway, tenant))["balance"] == 50


async def test_levels_are_announced_once_each(
    world: World, gateway: Gateway, tenant: Tenant, installed: Installation
) -> None:
    await costing(installed, 60)
    for _ in range(3):
        await ran(gateway, installed)
        await settle(world.platform, tenant.organization_id)
    await costing(installed, 20)
    await ran(gateway, installed)
    await settle(world.platform, tenant.organization_id)
    await until(world, tenant, balance=0)

    assert len(await events(world, tenant.organization_id, AuditAction.CREDITS_RUN_LOW)) == 1
    assert len(await events(world, tenant.organization_id, AuditAction.CREDITS_EXHAUSTED)) == 1
    assert (await shown(gateway, tenant))["alerts"] == [80, 100]
    assert (await account(world.platform, tenant)).policy is CreditPolicy.BLOCK


@pytest.mark.parametrize("flagged", [False, True])
async def test_nothing_is_run_again_without_credits_neither_one_by_one_nor_by_a_job(
    world: World, gateway: Gateway, tenant: Tenant, installed: Installation, flagged: bool
) -> None:
    run = await installed.record_run(status=ExecutionStatus.FAILED, trigger_data="{}")
    live = {"live_deployment_instance_id": "its deployment"}
    await world.platform.store.commit(Patch(refs.instance(installed.id), live))
    await enter(world.platform, "somebody", tenant.organization_id, EntryKind.ADJUSTMENT, -(10**9), "Test")
    if flagged:
        # A deployment while credits are used up leaves the workflows off.
        await eventually_is(world, installed, (False, "credits_exhausted"))
        await world.platform.store.commit(Patch(refs.endpoint(installed.id, "main"), {"is_active": False}))

    key = tenant.keys["owner"]
    answers = [
        await gateway.post(path, key)
        for path in (
            f"/retryExecutionPublic/{installed.id}/{run}",
            f"/replayExecutionPublic/{installed.id}/{run}",
            f"/retryExecutionsPublic/{installed.id}",
        )
    ]
    replays = await gateway.post(f"/replayExecutionsPublic/{installed.id}", key, {"status": "failed"})
    counted = await gateway.post(f"/retryExecutionsPublic/{installed.id}", key, {"dryRun": True})

    refusals = [(one.status_code, one.json()["error"]["code"]) for one in [*answers, replays]]
    assert refusals == [(402, "INSUFFICIENT_CREDITS")] * 4
    assert counted.json()["data"]["count"] == 1
    assert (await installed.run(run)).repeated_as is None


async def test_an_operator_gives_takes_and_decides_from_the_command_line(
    world: World, gateway: Gateway, tenant: Tenant
) -> None:
    organization = tenant.organization_id

    async def operate(*arguments: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "infra.operate", *arguments),
            env={**os.environ, **gateway.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    granted = await operate("credits", "grant", organization, "50", "--reason", "Sorry")
    assert granted[0] == 0, granted
    assert "250 credits left" in granted[1]
    together = await asyncio.gather(
        operate("credits", "policy", organization, "record"),
        operate("credits", "refund", organization, "-1", "--reason", "No"),
        operate("plan", organization, "pro", "--extra-seats", "2"),
        operate("credits", "show", "nowhere"),
    )
    assert [code for code, _ in together] == [0, 1, 0, 1], together
    assert "pro with 7 seats" in together[2][1]
    credits = await shown(gateway, tenant)
    assert (credits["plan"], credits["balance"], credits["creditPolicy"]) == ("pro", 10_050, "record")
    (entry,) = await events(world, organization, AuditAction.CREDITS_ADJUSTED)
    assert entry.details["reason"] == "Sorry"
