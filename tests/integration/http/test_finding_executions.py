"""Finding runs: filters that combine, pages that do not shift, and the runs of a whole organization."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.model.document import iso
from shared.model.execution import ExecutionStatus
from shared.model.instance import Environment
from tests.integration.world.installations import Installation
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World

START = datetime.fromisoformat("2026-03-01T00:00:00+00:00")


async def found(world: World, instance: str, **query: Any) -> dict[str, Any]:
    answer = await world.gateway.get(f"/listExecutionsPublic/{instance}", world.north.keys["owner"], **query)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def everywhere(world: World, tenant: Tenant, user: str = "owner", **query: Any) -> httpx.Response:
    return await world.gateway.get("/listOrganizationExecutions", tenant.keys[user], **query)


def ids(data: dict[str, Any]) -> list[str]:
    return [row["executionId"] for row in data["executions"]]


async def pages(world: World, instance: str, limit: int, **query: Any) -> list[list[str]]:
    read: list[list[str]] = []
    cursor: dict[str, Any] = {}
    while True:
        data = await found(world, instance, limit=limit, **query, **cursor)
        read.append(ids(data))
        if "nextCursor" not in data:
            return read
        cursor = {"cursor": data["nextCursor"]}


async def test_pages_have_every_run_once_though_many_began_in_the_same_moment(
    world: World, installed: Installation
) -> None:
    made = [await installed.record_run(created_at=START + timedelta(seconds=n // 4)) for n in range(11)]

    read = await pages(world, installed.id, 3)

    assert [len(page) for page in read] == [3, 3, 3, 2]
    flat = list(itertools.chain(*read))
    assert sorted(flat) == sorted(made)
    assert flat == ids(await found(world, installed.id, limit=100))


async def test_a_page_that_is_full_and_last_has_no_next(world: World, installed: Installation) -> None:
    for _ in range(2):
        await installed.record_run()

    assert "nextCursor" not in await found(world, installed.id, limit=2)
    assert "nextCursor" not in await found(world, installed.id)


async def test_runs_that_begin_meanwhile_do_not_shift_the_next_page(
    world: World, installed: Installation
) -> None:
    made = [await installed.record_run(created_at=START + timedelta(seconds=n)) for n in range(4)]
    first = await found(world, installed.id, limit=2)
    await installed.record_run()

    second = await found(world, installed.id, limit=2, cursor=first["nextCursor"])

    assert ids(first) + ids(second) == made[::-1]


async def test_every_pair_of_filters_combines_with_a_span_of_time(
    world: World, installed: Installation
) -> None:
    fields = {
        "workflowId": ("workflow_id", "other"),
        "status": ("status", ExecutionStatus.FAILED),
        "triggerType": ("trigger_type", "schedule"),
        "errorCode": ("error_details", {"type": "timeout", "message": "m", "code": "NO_REPORT"}),
        "errorType": ("error_details", {"type": "timeout", "message": "m", "code": "NO_REPORT"}),
    }
    asked = {
        "workflowId": "other",
        "status": "failed",
        "triggerType": "schedule",
        "errorCode": "NO_REPORT",
        "errorType": "timeout",
    }
    span = {"since": iso(START), "until": iso(START + timedelta(hours=1))}
    for pair in itertools.combinations(fields, 2):
        both = dict(fields[name] for name in pair)
        wanted = await installed.record_run(created_at=START, **both)
        for name in pair:
            await installed.record_run(created_at=START, **dict([fields[name]]))
        late = await installed.record_run(created_at=START + timedelta(hours=1), **both)

        listed = ids(
            await found(world, installed.id, **{name: asked[name] for name in pair}, **span, limit=100)
        )

        assert wanted in listed
        assert late not in listed
        for execution_id in listed:
            run = await installed.run(execution_id)
            assert all(getattr(run, field) == value for field, value in both.items())
    assert ids(await found(world, installed.id, **asked, **span)) == []


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"since": "2026-03-01T00:00:00"},
        {"errorType": "boom"},
        {"cursor": "x"},
        {"cursor": "é"},
        {"cursor": "A" * 5000},
        {"cursor": base64.urlsafe_b64encode(json.dumps(["a", 1, "b", "c"]).encode()).decode()},
        {"cursor": base64.urlsafe_b64encode(b"[1,2]").decode()},
        {"cursor": base64.urlsafe_b64encode(b"7").decode()},
    ],
)
async def test_a_question_that_means_nothing_is_a_bad_request(
    world: World, installed: Installation, query: dict[str, Any]
) -> None:
    answer = await world.gateway.get(
        f"/listExecutionsPublic/{installed.id}", world.north.keys["owner"], **query
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


async def test_a_cursor_continues_only_the_list_it_came_from(world: World, installed: Installation) -> None:
    other = await world.install()
    for one in (installed, other):
        for _ in range(2):
            await one.record_run()
    cursor = (await found(world, installed.id, limit=1))["nextCursor"]
    key = world.north.keys["owner"]

    elsewhere = await world.gateway.get(f"/listExecutionsPublic/{other.id}", key, cursor=cursor)
    filtered = await world.gateway.get(
        f"/listExecutionsPublic/{installed.id}", key, cursor=cursor, status="failed"
    )

    assert (elsewhere.status_code, filtered.status_code) == (400, 400)


async def test_a_forged_cursor_leads_to_no_run_of_another_installation(
    world: World, installed: Installation
) -> None:
    foreign = await world.install(world.south)
    hidden = [await foreign.record_run() for _ in range(2)]
    for _ in range(2):
        await installed.record_run(created_at=START)
    cursor = (await found(world, installed.id, limit=1))["nextCursor"]
    list_id, _, _, _ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    forged = json.dumps([list_id, 2**52, foreign.id, hidden[0]]).encode()

    data = await found(world, installed.id, cursor=base64.urlsafe_b64encode(forged).decode())

    assert len(ids(data)) == 2
    assert not set(hidden) & set(ids(data))


async def test_a_list_with_all_filters_costs_two_round_trips_however_many_runs_there_are(
    world: World, installed: Installation
) -> None:
    for _ in range(60):
        await installed.record_run(status=ExecutionStatus.SUCCESS, workflow_id="other")
    await installed.record_run(status=ExecutionStatus.FAILED)

    answer = await world.gateway.get(
        f"/listExecutionsPublic/{installed.id}",
        world.north.keys["owner"],
        status="failed",
        workflowId="main",
        since=iso(START),
    )

    assert len(answer.json()["data"]["executions"]) == 1
    line = world.gateway.line_of(answer)["firestore"]
    # The key, the installation, the run.
    assert (line["roundTrips"], line["reads"]) == (2, 3)


async def test_managers_list_the_runs_of_all_installations_and_only_of_their_organization(
    world: World,
) -> None:
    tenant = await world.tenant()
    mine = [await world.install(tenant), await world.install(tenant, owner="member")]
    made = [await one.record_run(environment=Environment.DEV) for one in mine]
    prod = await mine[0].record_run(environment=Environment.PROD, status=ExecutionStatus.FAILED)
    await (await world.install(world.south)).record_run()

    listed = await everywhere(world, tenant, "admin")
    of_prod = await everywhere(world, tenant, environment="prod", status="failed", workflowId="main")
    one = await everywhere(world, tenant, limit=1)
    rest = await everywhere(world, tenant, cursor=one.json()["data"]["nextCursor"])

    data = listed.json()["data"]
    assert set(data) == {"executions", "count", "organizationId"}
    assert set(ids(data)) == {*made, prod}
    assert {row["processInstanceId"] for row in data["executions"]} == {one.id for one in mine}
    assert ids(of_prod.json()["data"]) == [prod]
    assert ids(one.json()["data"]) + ids(rest.json()["data"]) == ids(data)
    assert world.gateway.line_of(listed)["firestore"]["roundTrips"] == 2


async def test_a_plain_member_is_sent_to_the_installations(world: World) -> None:
    answer = await everywhere(world, world.north, "member")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert "listExecutionsPublic" in answer.json()["error"]["message"]


async def test_another_organizations_runs_are_refused(world: World) -> None:
    answer = await everywhere(world, world.north, organizationId=world.south.organization_id)

    assert answer.status_code == 403
