"""Runs that start inside n8n: a schedule or a service event (nodes §4.2)."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.world import World

Json = dict[str, Any]


async def begin(gateway: Gateway, installed: Installation, **changes: Any) -> httpx.Response:
    """Register a run as the Init node of the installation's owner does."""
    body = {
        "memberSecret": await installed.tenant.member_secret("owner"),
        "organizationId": installed.tenant.organization_id,
        "userId": installed.tenant.users["owner"],
        "processInstanceId": installed.id,
        "workflowId": "main",
        "triggerType": "schedule",
        "triggerData": {"timestamp": "2026-01-01"},
    }
    return await gateway.callback("createworkflowexecution", body | changes)


async def test_a_run_that_n8n_started_is_registered_and_may_report(
    gateway: Gateway, installed: Installation
) -> None:
    answer = await begin(gateway, installed)

    begun = answer.json()
    assert begun["success"] is True
    assert begun["callbackUrl"] == f"{gateway.base_url}/submitWorkflowResult"
    assert begun["errorCallbackUrl"] == f"{gateway.base_url}/submitWorkflowError"
    assert begun["processId"] == installed.process_id
    assert begun["userId"] == installed.tenant.users["owner"]
    assert (await gateway.status(installed.id, begun["executionId"], installed.key))["status"] == "pending"
    report = {"executionId": begun["executionId"], "executionSecret": begun["executionSecret"]}

    done = await gateway.callback("submitWorkflowResult", {**report, "resultData": {"n": 1}})

    assert done.status_code == 200
    ended = await gateway.status(installed.id, begun["executionId"], installed.key)
    assert ended["resultData"] == {"n": 1}


async def test_the_trigger_of_the_run_is_found_by_its_type(world: World, gateway: Gateway) -> None:
    installed = await world.install(trigger_type="schedule")

    begun = (await begin(gateway, installed)).json()

    run = await installed.run(begun["executionId"])
    assert (run.trigger_type, run.trigger_id) == ("schedule", "t1")
    assert run.trigger_data == '{"timestamp":"2026-01-01"}'


async def test_a_wrong_member_secret_is_refused_whoever_it_is_for(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    answers = [
        await begin(gateway, installed, memberSecret="wrong"),
        await begin(gateway, installed, memberSecret=await world.north.member_secret("member")),
        await begin(gateway, installed, userId="nobody"),
        await begin(gateway, installed, organizationId="nothing"),
        await begin(gateway, installed, organizationId=world.south.organization_id),
    ]

    assert [answer.status_code for answer in answers] == [401] * 5
    assert {answer.json()["code"] for answer in answers} == {"INVALID_SECRET"}
    assert len({answer.json()["error"] for answer in answers}) == 1


async def test_a_member_cannot_register_runs_of_somebody_elses_installation(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    secret, user = await world.north.member_secret("member"), world.north.users["member"]

    answer = await begin(gateway, installed, memberSecret=secret, userId=user)

    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


async def test_an_installation_of_another_organization_is_refused(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    foreign = await world.install(world.south)

    answer = await begin(gateway, installed, processInstanceId=foreign.id)

    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("changes", [{"workflowId": "other"}, {"processInstanceId": "other"}])
async def test_what_is_not_deployed_is_not_found(
    gateway: Gateway, installed: Installation, changes: Json
) -> None:
    answer = await begin(gateway, installed, **changes)

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_an_inactive_installation_registers_no_runs(world: World, gateway: Gateway) -> None:
    installed = await world.install(active=False)

    answer = await begin(gateway, installed)

    assert (answer.status_code, answer.json()["code"]) == (412, "INSTANCE_INACTIVE")


async def test_trigger_data_beyond_the_limit_is_cut_and_the_call_does_not_fail(
    gateway: Gateway, installed: Installation
) -> None:
    begun = (await begin(gateway, installed, triggerData=[{"text": "ü" * 2_000_000}])).json()

    assert begun["success"] is True
    run = await installed.run(begun["executionId"])
    assert run.trigger_data_truncated
    assert run.trigger_data is not None
    assert 500_000 < len(run.trigger_data.encode()) <= 524_288


@pytest.mark.parametrize("depth", [250, 251, 300, 1000])
async def test_trigger_data_nested_deeply_never_breaks_the_call(
    gateway: Gateway, installed: Installation, depth: int
) -> None:
    marked = orjson.dumps(
        {
            "memberSecret": await installed.tenant.member_secret("owner"),
            "organizationId": installed.tenant.organization_id,
            "userId": installed.tenant.users["owner"],
            "processInstanceId": installed.id,
            "workflowId": "main",
            "triggerType": "schedule",
            "triggerData": "HERE",
        }
    )
    body = marked.replace(b'"HERE"', b"[" * depth + b"]" * depth)

    answer = await gateway.http.post("/createWorkflowExecution", content=body)

    assert answer.status_code in (200, 400), answer.text


async def test_every_field_is_needed(gateway: Gateway) -> None:
    answer = await gateway.callback("createWorkflowExecution", {})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert "memberSecret" in answer.json()["error"]
