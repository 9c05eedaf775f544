"""What a run's end writes beside its outcome: the charge, once (platform §15.3, decision 0023)."""

from __future__ import annotations

import asyncio
import base64
from uuid import UUID

import pytest

from shared.model.ledger import LedgerEntry
from shared.services.runs.secret import PURPOSE, mint
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Patch
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.world import World


async def run_of(installed: Installation, cost: float) -> dict[str, str]:
    """Record a run that costs that much; return what a report proves itself with."""
    execution_id = await installed.record_run(cost=cost)
    key = await installed.platform.vault.mac_key(PURPOSE)
    secret = mint(key, installed.tenant.organization_id, installed.id, execution_id)
    return {"executionId": execution_id, "executionSecret": secret}


async def charges(installed: Installation) -> list[LedgerEntry]:
    owner = refs.organization(installed.tenant.organization_id)
    query = below(owner, "ledger", LedgerEntry).where("process_instance_id", "==", installed.id)
    return [found.value for found in await find(installed.platform.store, query)]


async def test_a_run_that_succeeds_is_charged_what_its_workflow_costs(
    gateway: Gateway, installed: Installation
) -> None:
    run = await run_of(installed, 0.02)

    await gateway.callback("submitWorkflowResult", {**run, "resultData": 1})

    (charge,) = await charges(installed)
    assert (charge.entry_id, charge.execution_id) == (run["executionId"], run["executionId"])
    assert (charge.kind, charge.amount, charge.workflow_id) == ("charge", -20_000, "main")
    assert charge.day == charge.created_at.strftime("%Y-%m-%d")


async def test_failed_runs_and_those_that_cost_nothing_are_free(
    gateway: Gateway, installed: Installation
) -> None:
    failed, free = await run_of(installed, 5), await run_of(installed, 0)

    await gateway.callback("submitWorkflowError", {**failed, "errorMessage": "No"})
    await gateway.callback("submitWorkflowResult", {**free, "resultData": 1})

    assert await charges(installed) == []


async def test_repeats_and_races_of_reports_charge_once(gateway: Gateway, installed: Installation) -> None:
    run = await run_of(installed, 3)
    reports = [{**run, "resultData": number % 2} for number in range(8)]

    answers = await asyncio.gather(*(gateway.callback("submitWorkflowResult", body) for body in reports))

    assert sorted({answer.status_code for answer in answers}) == [200, 409]
    assert [charge.amount for charge in await charges(installed)] == [-3_000_000]


@pytest.mark.parametrize("error_first", [True, False])
async def test_a_run_whose_error_and_result_race_is_charged_only_if_it_succeeded(
    gateway: Gateway, installed: Installation, error_first: bool
) -> None:
    run = await run_of(installed, 3)
    calls = [
        gateway.callback("submitWorkflowError", {**run, "errorMessage": "No"}),
        gateway.callback("submitWorkflowResult", {**run, "resultData": 1}),
    ]

    await asyncio.gather(*(calls if error_first else reversed(calls)))

    succeeded = (await installed.run(run["executionId"])).status == "success"
    assert len(await charges(installed)) == int(succeeded)


async def test_a_secret_that_does_not_name_the_organization_ends_and_charges_its_run_all_the_same(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    """Runs that were sent before secrets named it report with the secrets they were given."""
    execution_id = await installed.record_run(cost=2)
    reference = refs.execution(installed.id, execution_id)
    (version,) = await world.platform.store.commit(Patch(reference, {"started_at": None}))
    body = UUID(installed.id).bytes + int(version.timestamp() * 1_000_000).to_bytes(8, "big")
    key = await world.platform.vault.mac_key(PURPOSE)
    signed = body + key.sign(body + execution_id.encode())
    secret = "es1_" + base64.urlsafe_b64encode(signed).decode().rstrip("=")
    report = {"executionId": execution_id, "executionSecret": secret, "resultData": 1}

    answer = await gateway.callback("submitWorkflowResult", report)

    assert answer.status_code == 200, answer.text
    assert [charge.amount for charge in await charges(installed)] == [-2_000_000]
