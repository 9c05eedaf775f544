"""Cancelling, retrying and replaying many runs by a job (decision 0028)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.model.execution import ExecutionStatus
from shared.model.execution_job import ExecutionJob, JobStatus
from shared.store import refs
from shared.store.store import Found, Patch
from tests.integration.world.installations import Installation
from tests.integration.world.world import World

FAILED: dict[str, Any] = {"status": ExecutionStatus.FAILED, "trigger_data": "{}"}


async def ask(world: World, name: str, installed: Installation, **body: Any) -> httpx.Response:
    return await world.gateway.post(f"/{name}/{installed.id}", world.north.keys["owner"], body)


async def begun(world: World, name: str, installed: Installation, **body: Any) -> dict[str, Any]:
    answer = await ask(world, name, installed, **body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["data"])


async def progress(world: World, installed: Installation, job_id: str) -> dict[str, Any]:
    path = f"/getExecutionJobPublic/{installed.id}/{job_id}"
    answer = await world.gateway.get(path, world.north.keys["owner"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["data"])


async def ended(world: World, installed: Installation, job_id: str) -> dict[str, Any]:
    for _ in range(300):
        seen = await progress(world, installed, job_id)
        if seen["status"] != "running":
            return seen
        await asyncio.sleep(0.1)
    raise AssertionError(seen)


async def record(installed: Installation, number: int, **fields: Any) -> list[str]:
    return [await installed.record_run(**fields) for _ in range(number)]


async def job_of(world: World, installed: Installation, job_id: str) -> Found[ExecutionJob]:
    found = await world.platform.store.get(refs.execution_job(installed.id, job_id))
    assert found is not None
    return found


async def test_a_dry_run_counts_what_fits_and_does_nothing(world: World, installed: Installation) -> None:
    code = {"type": "timeout", "code": "NO_REPORT", "message": "Late"}
    await record(installed, 3, **FAILED, error_details=code)
    await record(installed, 2, **FAILED, error_details={**code, "code": "OTHER"}, workflow_id="other")
    await record(installed, 4)
    await record(installed, 1, status=ExecutionStatus.SUCCESS)
    old = world.platform.sources.now() - timedelta(days=3)
    await record(installed, 5, **FAILED, created_at=old)
    since = (world.platform.sources.now() - timedelta(days=1)).isoformat()

    async def counted(name: str = "retryExecutionsPublic", **body: Any) -> int:
        data = await begun(world, name, installed, dryRun=True, **body)
        assert set(data) == {"count", "dryRun"}
        return int(data["count"])

    assert await counted() == 10
    assert await counted("replayExecutionsPublic", status="success") == 1
    assert await counted("cancelExecutionsPublic") == 4
    assert await counted(errorCode="NO_REPORT") == 3
    assert await counted(errorType="timeout", workflowId="other") == 2
    assert await counted(since=since) == 5
    assert await counted(until=since) == 5
    assert await counted(workflowId="unknown") == 0
    assert await counted(since=since, errorCode="OTHER", workflowId="other", status="failed") == 2


async def test_many_runs_are_retried_page_by_page_and_each_once(
    world: World, installed: Installation
) -> None:
    runs = await record(installed, 53, **FAILED)

    data = await begun(world, "retryExecutionsPublic", installed)
    job = await ended(world, installed, data["jobId"])
    path = {"processInstanceId": installed.id, "jobId": data["jobId"]}
    repeats = [await world.deliver("controlExecutions", {**path, "page": page}) for page in range(2)]

    assert data["count"] == 53
    assert job["createdAt"] < job["endedAt"]
    counts = {name: job[name] for name in ("status", "total", "done", "skipped", "failed", "reasons")}
    assert counts == {
        "status": "completed",
        "total": 53,
        "done": 53,
        "skipped": 0,
        "failed": 0,
        "reasons": {},
    }
    assert {answer.json()["data"]["outcome"] for answer in repeats} == {"completed"}
    again = {(await installed.run(run)).repeated_as for run in runs}
    assert len(again) == 53
    assert None not in again


async def test_a_page_that_is_done_twice_makes_the_same_runs(world: World, installed: Installation) -> None:
    runs = await record(installed, 3, **FAILED)
    data = await begun(world, "retryExecutionsPublic", installed, executionIds=runs)
    await ended(world, installed, data["jobId"])
    before = [(await installed.run(run)).repeated_as for run in runs]
    # As if the worker had died before it wrote down what it did.
    undone = {"status": JobStatus.RUNNING, "page": 0, "done": 0, "ended_at": None}
    job = await job_of(world, installed, data["jobId"])
    await world.platform.store.commit(Patch(job.ref, undone))

    order = {"processInstanceId": installed.id, "jobId": data["jobId"], "page": 0}
    both = await asyncio.gather(*(world.deliver("controlExecutions", order) for _ in range(2)))

    assert [answer.status_code for answer in both] == [200, 200]
    assert [(await installed.run(run)).repeated_as for run in runs] == before
    assert (await progress(world, installed, data["jobId"]))["done"] == 3
    answer = await world.gateway.get(
        f"/listExecutionsPublic/{installed.id}", world.north.keys["owner"], limit=100
    )
    assert answer.json()["data"]["count"] == 6


async def test_many_runs_are_cancelled_and_those_that_ended_meanwhile_are_skipped(
    world: World, installed: Installation
) -> None:
    waiting = await record(installed, 3)
    over = await record(installed, 1, status=ExecutionStatus.SUCCESS)
    unknown = world.platform.sources.uuid7()

    named = await begun(world, "cancelExecutionsPublic", installed, executionIds=[*waiting, *over, unknown])
    job = await ended(world, installed, named["jobId"])

    assert named["count"] == 4
    assert (job["done"], job["skipped"], job["failed"]) == (3, 2, 0)
    assert {(await installed.run(run)).status for run in waiting} == {"failed"}
    assert (await installed.run(over[0])).status == "success"


async def test_what_cannot_run_again_is_counted_by_why(world: World, installed: Installation) -> None:
    await record(installed, 2, **FAILED, template_version="0.9")
    await record(installed, 1, status=ExecutionStatus.FAILED)
    await record(installed, 1, **FAILED)

    data = await begun(world, "retryExecutionsPublic", installed)
    job = await ended(world, installed, data["jobId"])

    assert (job["done"], job["failed"]) == (1, 3)
    assert job["reasons"] == {"VERSION_NOT_LIVE": 2, "INPUT_NOT_AVAILABLE": 1}


async def test_a_job_that_is_cancelled_goes_no_further(world: World, installed: Installation) -> None:
    runs = await record(installed, 2, **FAILED)
    data = await begun(world, "retryExecutionsPublic", installed, executionIds=runs)
    await ended(world, installed, data["jobId"])
    job = await job_of(world, installed, data["jobId"])
    await world.platform.store.commit(Patch(job.ref, {"status": JobStatus.RUNNING, "page": 7}))
    path, key = f"/cancelExecutionJobPublic/{installed.id}/{data['jobId']}", world.north.keys["owner"]

    stopped, again = await world.gateway.post(path, key), await world.gateway.post(path, key)
    order = {"processInstanceId": installed.id, "jobId": data["jobId"], "page": 7}
    page = await world.deliver("controlExecutions", order)

    assert stopped.json()["data"]["status"] == "cancelled" == again.json()["data"]["status"]
    assert page.json()["data"]["outcome"] == "cancelled"


async def test_a_job_that_is_over_cannot_be_cancelled(world: World, installed: Installation) -> None:
    data = await begun(
        world, "retryExecutionsPublic", installed, executionIds=await record(installed, 1, **FAILED)
    )
    await ended(world, installed, data["jobId"])

    path = f"/cancelExecutionJobPublic/{installed.id}/{data['jobId']}"
    answer = await world.gateway.post(path, world.north.keys["owner"])

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "JOB_ENDED")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("cancelExecutionsPublic", {"status": "failed"}),
        ("retryExecutionsPublic", {"status": "pending"}),
        ("retryExecutionsPublic", {"executionIds": []}),
        ("retryExecutionsPublic", {"executionIds": ["x"], "workflowId": "main"}),
        ("retryExecutionsPublic", {"executionIds": ["x"] * 501}),
        ("retryExecutionsPublic", {"since": "yesterday"}),
    ],
)
async def test_a_selection_that_makes_no_sense_is_refused(
    world: World, installed: Installation, name: str, body: dict[str, Any]
) -> None:
    answer = await ask(world, name, installed, **body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


async def test_nothing_begins_where_nothing_fits(world: World, installed: Installation) -> None:
    assert await begun(world, "cancelExecutionsPublic", installed) == {"count": 0, "dryRun": False}
