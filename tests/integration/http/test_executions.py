"""Listing runs, and who may look at them (api §5.23-§5.25)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.model.execution import ExecutionStatus
from shared.model.instance import SharedWith
from shared.model.scopes import Scope
from tests.integration.world.installations import Installation
from tests.integration.world.world import World

BOOM = {"type": "node_failure", "message": "Boom", "failedNodeName": "Ask", "stack": "at Ask", "code": "X"}
ROW = {"executionId", "workflowId", "triggerId", "status", "createdAt"}


async def answer_of(world: World, instance: str, key: str | None = None, **query: Any) -> httpx.Response:
    key = key or world.north.keys["owner"]
    return await world.gateway.get(f"/listExecutionsPublic/{instance}", key, **query)


async def listed(world: World, installed: Installation, **query: Any) -> list[dict[str, Any]]:
    answer = await answer_of(world, installed.id, **query)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert set(data) - {"nextCursor"} == {"executions", "count", "processInstanceId"}
    assert data["count"] == len(data["executions"])
    assert data["processInstanceId"] == installed.id
    return list(data["executions"])


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["executionId"] for row in rows]


async def test_a_run_is_listed_with_exactly_the_contracts_fields(
    world: World, installed: Installation
) -> None:
    pending = await installed.record_run()
    ended = {"duration": 1234, "n8n_execution_id": "77"}
    success = await installed.record_run(status=ExecutionStatus.SUCCESS, result_data='{"a":1}', **ended)
    failed = await installed.record_run(status=ExecutionStatus.FAILED, error_details=BOOM, **ended)

    rows = {row["executionId"]: row for row in await listed(world, installed)}

    assert set(rows[pending]) == ROW
    assert (
        rows[pending]
        | {
            "workflowId": "main",
            "triggerId": "t1",
            "status": "pending",
        }
        == rows[pending]
    )
    assert rows[pending]["createdAt"].endswith("Z")
    assert set(rows[success]) == {*ROW, "duration", "n8nExecutionId"}
    assert (rows[success]["duration"], rows[success]["n8nExecutionId"]) == (1234, "77")
    assert set(rows[failed]) == {*ROW, "duration", "n8nExecutionId", "errorDetails"}
    assert rows[failed]["errorDetails"] == {"message": "Boom", "failedNodeName": "Ask"}


async def test_a_failed_run_always_says_something(world: World, installed: Installation) -> None:
    await installed.record_run(
        status=ExecutionStatus.FAILED, error_details={"type": "timeout", "message": "Late"}
    )
    await installed.record_run(status=ExecutionStatus.FAILED)

    errors = [row["errorDetails"] for row in await listed(world, installed)]

    assert {"message": "Late"} in errors
    assert all(set(error) == {"message"} and error["message"] for error in errors)


async def test_the_newest_runs_come_first_and_limits_are_kept_exactly(
    world: World, installed: Installation
) -> None:
    now = world.platform.sources.now()
    made = [await installed.record_run(created_at=now - timedelta(seconds=age)) for age in range(25)]

    assert ids(await listed(world, installed)) == made[:20]
    assert ids(await listed(world, installed, limit=1)) == made[:1]
    assert ids(await listed(world, installed, limit=1000)) == made


async def test_never_more_than_a_hundred_are_listed(world: World, installed: Installation) -> None:
    for _ in range(102):
        await installed.record_run()

    assert len(await listed(world, installed, limit=102)) == 100


async def test_filters_combine(world: World, installed: Installation) -> None:
    made = {
        (workflow, status): await installed.record_run(workflow_id=workflow, status=status)
        for workflow in ("main", "other")
        for status in ExecutionStatus
    }
    for status in ExecutionStatus:
        expected = {made["main", status], made["other", status]}
        assert set(ids(await listed(world, installed, status=status.value))) == expected
        assert ids(await listed(world, installed, status=status.value, workflowId="other")) == [
            made["other", status]
        ]
    mains = {made["main", status] for status in ExecutionStatus}
    assert set(ids(await listed(world, installed, workflowId="main"))) == mains
    assert await listed(world, installed, workflowId="unknown") == []


@pytest.mark.parametrize(
    "query", [{"status": "running"}, {"status": "FAILED"}, {"limit": 0}, {"limit": -5}, {"limit": "x"}]
)
async def test_a_filter_that_means_nothing_is_a_bad_request(
    world: World, installed: Installation, query: dict[str, Any]
) -> None:
    answer = await answer_of(world, installed.id, **query)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


async def test_an_installation_without_runs_has_an_empty_list(world: World, installed: Installation) -> None:
    assert await listed(world, installed) == []


async def test_a_list_shows_nothing_that_runs_were_given_or_returned(
    world: World, installed: Installation
) -> None:
    await installed.record_run(
        status=ExecutionStatus.SUCCESS, trigger_data='{"pin":"given"}', result_data='{"pin":"returned"}'
    )

    answer = await answer_of(world, installed.id)

    assert "given" not in answer.text
    assert "returned" not in answer.text


async def test_a_list_costs_two_round_trips_and_reads_no_results(
    world: World, installed: Installation
) -> None:
    large = '"' + "x" * 300_000 + '"'
    for _ in range(20):
        await installed.record_run(status=ExecutionStatus.SUCCESS, result_data=large)

    answer = await answer_of(world, installed.id)

    assert len(answer.json()["data"]["executions"]) == 20
    assert world.gateway.line_of(answer)["firestore"]["roundTrips"] == 2


async def test_who_may_not_use_the_installation_may_not_see_its_runs(world: World) -> None:
    private = await world.install()
    shared = await world.install(shared_with=SharedWith.EVERYONE)

    for key in (world.north.keys["member"], world.south.keys["owner"]):
        answer = await answer_of(world, private.id, key)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert "access to this process instance" in answer.json()["error"]["message"]
    assert (await answer_of(world, shared.id, world.north.keys["member"])).status_code == 200


async def test_the_runs_of_an_unknown_installation_are_not_found(world: World) -> None:
    answer = await answer_of(world, world.platform.sources.uuid7())

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "INSTANCE_NOT_FOUND")
    assert "not found" in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["getExecutionStatusPublic", "getExecutionDetailsPublic"])
async def test_a_run_that_is_not_there_is_told_from_an_installation_that_is_not(
    world: World, installed: Installation, name: str
) -> None:
    key, unknown = world.north.keys["owner"], world.platform.sources.uuid7()

    run = await world.gateway.get(f"/{name}/{installed.id}/{unknown}", key)
    instance = await world.gateway.get(f"/{name}/{unknown}/{unknown}", key)
    foreign = await world.gateway.get(f"/{name}/{installed.id}/{unknown}", world.south.keys["owner"])

    assert (run.status_code, run.json()["code"]) == (404, "EXECUTION_NOT_FOUND")
    assert (instance.status_code, instance.json()["code"]) == (404, "INSTANCE_NOT_FOUND")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("scope", [Scope.WORKFLOWS_TRIGGER, Scope.EXECUTIONS_READ])
async def test_either_scope_is_enough_to_poll(world: World, installed: Installation, scope: Scope) -> None:
    execution_id = await installed.record_run()
    key = await world.north.key(scopes=(scope,))

    assert (await world.gateway.status(installed.id, execution_id, key))["status"] == "pending"
