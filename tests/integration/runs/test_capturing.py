"""Failures that n8n's error workflow reports (nodes §8)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from shared.model.execution import DispatchState, ExecutionStatus
from shared.store.executions import Executions
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import reporting
from tests.integration.world.world import World

Json = dict[str, Any]
ERROR: Json = {"message": "Boom", "stack": "Error: Boom\n    at Ask", "node": {"name": "Ask"}}


async def capture(
    gateway: Gateway,
    installed: Installation,
    report: Json,
    *,
    secret: str | None = None,
    name: str = "captureWorkflowError",
) -> httpx.Response:
    """Report as the organization's error workflow does."""
    header = installed.tenant.webhook_secret if secret is None else secret
    return await gateway.http.post(
        f"/{name}",
        json={"organizationId": installed.tenant.organization_id, "report": report},
        headers={"X-Codika-Webhook-Auth": header},
    )


def failed_run(installed: Installation, n8n_id: str | None = None, **error: Any) -> Json:
    """What n8n's error trigger gives for a run that failed."""
    execution: Json = {
        "mode": "webhook",
        "lastNodeExecuted": "Ask",
        "error": {**ERROR, **error},
    }
    if n8n_id is not None:
        execution |= {"id": n8n_id, "url": f"{installed.n8n.url}/execution/{n8n_id}"}
    return {"execution": execution, "workflow": {"id": installed.n8n_workflow_id, "name": "Main"}}


async def in_flight(installed: Installation) -> str:
    """A run that n8n has and that no task looks after."""
    return await installed.record_run(dispatch=DispatchState.SENDING)


async def test_a_failure_is_found_by_the_custom_data_of_n8ns_execution(
    gateway: Gateway, installed: Installation
) -> None:
    _, execution_id, _ = [await in_flight(installed) for _ in range(3)]
    workflow = installed.n8n_workflow_id
    n8n_id = installed.n8n.record(execution_id, "error", workflow_id=workflow, error=ERROR, last_node="Ask")

    answer = await capture(gateway, installed, failed_run(installed, n8n_id))

    assert answer.json()["executionId"] == execution_id
    assert answer.json()["matched"] is True
    run = await installed.run(execution_id)
    assert (run.status, run.correlation, run.n8n_execution_id) == ("failed", "custom_data", n8n_id)
    assert run.error_details is not None
    assert run.error_details["type"] == "node_failure"
    assert run.error_details["message"] == "Boom"
    assert run.error_details["failedNodeName"] == "Ask"
    assert run.error_details["lastExecutedNode"] == "Ask"


async def test_a_failure_is_found_by_the_n8n_execution_a_run_is_linked_to(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    n8n_id = f"linked-{installed.process_id}"
    execution_id = await installed.record_run(dispatch=DispatchState.SENDING, n8n_execution_id=n8n_id)
    await in_flight(installed)

    answer = await capture(gateway, installed, failed_run(installed, n8n_id))

    assert answer.json()["executionId"] == execution_id
    assert (await installed.run(execution_id)).correlation == "execution_id"


async def test_a_failure_that_n8n_cannot_explain_is_given_to_the_oldest_run_in_flight(
    gateway: Gateway, installed: Installation
) -> None:
    queued = await installed.record_run()
    first = await in_flight(installed)
    second = await in_flight(installed)

    answer = await capture(gateway, installed, failed_run(installed))

    assert answer.json() | {"executionId": first, "matched": True} == answer.json()
    assert (await installed.run(first)).correlation == "guess"
    assert [(await installed.run(run)).status for run in (queued, second)] == ["pending", "pending"]


async def test_a_failure_without_any_run_becomes_a_failed_run_of_its_own(
    gateway: Gateway, installed: Installation
) -> None:
    n8n_id = f"alone-{installed.process_id}"

    answer = await capture(gateway, installed, failed_run(installed, n8n_id))

    assert answer.json()["matched"] is False
    run = await installed.run(answer.json()["executionId"])
    assert (run.status, run.correlation, run.n8n_execution_id) == ("failed", "none", n8n_id)
    shown = await gateway.status(installed.id, run.execution_id, installed.key)
    assert shown["errorDetails"]["message"] == "Boom"


async def test_a_failure_of_another_run_is_never_given_to_a_run_in_flight(
    gateway: Gateway, installed: Installation
) -> None:
    """n8n's record shows that it is a run the platform did not start: its Init failed."""
    other = await in_flight(installed)
    n8n_id = installed.n8n.record(None, "error", workflow_id=installed.n8n_workflow_id, error=ERROR)

    answer = await capture(gateway, installed, failed_run(installed, n8n_id))

    assert answer.json()["matched"] is False
    assert (await installed.run(other)).status == "pending"


async def test_a_trigger_that_fails_is_no_failure_of_a_run_in_flight(
    gateway: Gateway, installed: Installation
) -> None:
    running = await in_flight(installed)
    trigger = {"mode": "trigger", "error": {"message": "The subscription was refused", "name": "Error"}}
    report = {"trigger": trigger, "workflow": {"id": installed.n8n_workflow_id, "name": "Main"}}

    answer = await capture(gateway, installed, report)

    assert answer.json()["matched"] is False
    assert (await installed.run(running)).status == "pending"
    run = await installed.run(answer.json()["executionId"])
    assert run.error_details is not None
    assert run.error_details["message"] == "The subscription was refused"


async def test_the_same_n8n_failure_reported_again_changes_nothing(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    known = await in_flight(installed)
    n8n_id = installed.n8n.record(known, "error", workflow_id=installed.n8n_workflow_id, error=ERROR)
    reports = [failed_run(installed, n8n_id), failed_run(installed, f"new-{installed.process_id}")]

    first = [await capture(gateway, installed, report) for report in reports]
    again = await asyncio.gather(*(capture(gateway, installed, report) for report in reports * 3))

    ids = [answer.json()["executionId"] for answer in first]
    assert {answer.json()["executionId"] for answer in again} == set(ids)
    assert all(answer.status_code == 200 for answer in again)
    runs = Executions(world.platform.store, installed.id)
    since = world.platform.sources.now().replace(year=2000)
    assert await runs.oldest_pending("main", since, 10) == []
    assert [(await installed.run(run)).notes for run in ids] == [[], []]


async def test_a_failure_after_the_reported_error_is_kept_as_a_note_once(
    gateway: Gateway, installed: Installation
) -> None:
    installed.behave(reporting("submitWorkflowError", errorMessage="No stock", n8nExecutionId="n8n-1"))
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: gateway.lines_about(execution_id, "submitWorkflowError"))

    for _ in range(2):
        await capture(gateway, installed, failed_run(installed, "n8n-1"))

    run = await installed.run(execution_id)
    assert run.error_details is not None
    assert (run.error_details["message"], run.notes) == ("No stock", ["Boom"])


async def test_a_failure_after_the_result_is_kept_as_a_note_and_changes_no_outcome(
    gateway: Gateway, installed: Installation
) -> None:
    installed.behave(reporting(resultData={"ok": 1}))
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: gateway.lines_about(execution_id, "submitWorkflowResult"))
    n8n_id = installed.n8n.record(execution_id, "error", workflow_id=installed.n8n_workflow_id, error=ERROR)

    answer = await capture(gateway, installed, failed_run(installed, n8n_id))

    assert answer.json()["matched"] is True
    run = await installed.run(execution_id)
    assert (run.status, run.notes) == ("success", ["Boom"])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "connect ETIMEDOUT 10.0.0.1"}, "timeout"),
        ({"message": "Bad gateway", "httpCode": "502"}, "external_api_error"),
        ({"message": "ECONNREFUSED"}, "external_api_error"),
        ({"message": "Validation failed", "name": "ValidationError"}, "validation_error"),
        ({"message": "x is not defined"}, "node_failure"),
    ],
)
async def test_the_kind_of_a_failure_is_told_from_its_words(
    gateway: Gateway, installed: Installation, error: Json, kind: str
) -> None:
    answer = await capture(gateway, installed, failed_run(installed, **error))

    shown = await gateway.status(installed.id, answer.json()["executionId"], installed.key)
    assert shown["errorDetails"]["type"] == kind


async def test_an_unknown_workflow_is_taken_without_a_match(
    gateway: Gateway, installed: Installation
) -> None:
    report = failed_run(installed) | {"workflow": {"id": "not ours", "name": "Other"}}

    answer = await capture(gateway, installed, report)

    assert (answer.status_code, answer.json()["matched"]) == (200, False)
    assert "executionId" not in answer.json()


async def test_a_workflow_of_another_organization_is_unknown(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    foreign = await world.install(world.south)
    running = await foreign.record_run(dispatch=DispatchState.SENDING)

    answer = await capture(gateway, installed, failed_run(foreign))

    assert answer.json()["matched"] is False
    assert (await foreign.run(running)).status == "pending"


async def test_an_n8n_execution_of_another_workflow_explains_nothing(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    foreign = await world.install(world.south)
    error = {"message": "A private message", "node": {"name": "Private"}}
    n8n_id = installed.n8n.record(None, "error", workflow_id=foreign.n8n_workflow_id, error=error)

    answer = await capture(gateway, installed, failed_run(installed, n8n_id))

    run = await installed.run(answer.json()["executionId"])
    assert run.error_details is not None
    assert run.error_details["message"] == "Boom"


async def test_a_wrong_header_secret_is_refused_for_known_and_unknown_organizations_alike(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    running = await in_flight(installed)
    report = failed_run(installed)

    wrong = [
        await capture(gateway, installed, report, secret=world.south.webhook_secret),
        await capture(gateway, installed, report, secret=""),
        await gateway.http.post("/captureWorkflowError", json={"organizationId": "none", "report": report}),
    ]

    assert [answer.status_code for answer in wrong] == [401, 401, 401]
    assert len({(answer.json()["error"], answer.json()["code"]) for answer in wrong}) == 1
    assert (await installed.run(running)).status == "pending"


@pytest.mark.parametrize(
    "body",
    [[], "text", {}, {"organizationId": "a"}, {"organizationId": 5, "report": {"workflow": {"id": 1}}}],
)
async def test_a_report_that_names_no_organization_and_workflow_is_a_bad_request(
    gateway: Gateway, body: Any
) -> None:
    answer = await gateway.http.post("/captureWorkflowError", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")


async def test_the_older_name_of_the_endpoint_works(gateway: Gateway, installed: Installation) -> None:
    answer = await capture(gateway, installed, failed_run(installed), name="reportn8nexecutionerror")

    assert answer.status_code == 200
    assert answer.json()["success"] is True


async def test_n8n_ids_may_be_numbers(gateway: Gateway, installed: Installation) -> None:
    execution_id = await in_flight(installed)
    installed.n8n.record(
        execution_id, "error", workflow_id=installed.n8n_workflow_id, n8n_id="990077", error=ERROR
    )
    report = failed_run(installed, "990077")
    report["execution"]["id"] = 990077

    answer = await capture(gateway, installed, report)

    assert answer.json()["executionId"] == execution_id
    assert (await installed.run(execution_id)).status is ExecutionStatus.FAILED


async def test_a_huge_report_is_cut_to_what_is_worth_keeping(
    gateway: Gateway, installed: Installation
) -> None:
    report = failed_run(installed, message="m" * 1_000_000, stack="s" * 1_000_000)
    report["execution"]["error"]["description"] = {"nested": ["x"] * 10_000}

    answer = await capture(gateway, installed, report)

    run = await installed.run(answer.json()["executionId"])
    assert run.error_details is not None
    assert len(str(run.error_details)) < 12_000
