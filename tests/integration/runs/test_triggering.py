"""Accepting a run (api §5.22, platform §13)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.model.execution import Execution
from shared.store.executions import Executions
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import started
from tests.integration.world.world import World

SCHEMA: list[dict[str, object]] = [
    {"key": "email", "type": "string", "label": "E-mail", "required": True},
    {"key": "amount", "type": "number", "label": "Amount", "required": True, "max": 100},
    {"key": "note", "type": "string", "label": "Note"},
]


async def sent(gateway: Gateway, installed: Installation, body: Any, **options: Any) -> dict[str, Any]:
    """Trigger with that body and return the JSON that arrives at the workflow."""
    key = {"X-API-Key": installed.key}
    answer = await gateway.http.post(f"/webhook/{installed.path}", headers=key, **{"json": body, **options})
    assert answer.status_code == 200, answer.text
    (call,) = await eventually(lambda: installed.calls)
    assert call.execution_id == answer.json()["executionId"]
    return dict(call.body)


async def pending_runs(world: World, installed: Installation) -> list[Execution]:
    runs = Executions(world.platform.store, installed.id)
    since = world.platform.sources.now().replace(year=2000)
    return await runs.oldest_pending("main", since, 50)


async def test_a_run_is_pending_before_its_trigger_is_answered(
    gateway: Gateway, installed: Installation
) -> None:
    answer = await gateway.post(f"/webhook/{installed.path}", installed.key)

    assert answer.json()["message"] == "Execution started"
    run = await installed.run(answer.json()["executionId"])
    assert (run.status, run.workflow_id, run.trigger_id, run.trigger_type) == (
        "pending",
        "main",
        "t1",
        "http",
    )


async def test_the_fields_of_a_payload_arrive_at_the_top_of_the_body(
    gateway: Gateway, installed: Installation
) -> None:
    arrived = await sent(gateway, installed, {"payload": {"city": "Zürich", "empty": None}, "ignored": 1})
    metadata = arrived.pop("executionMetadata")

    assert arrived == {"city": "Zürich", "empty": None}
    assert metadata["callbackUrl"] == f"{gateway.base_url}/submitWorkflowResult"
    assert metadata["errorCallbackUrl"] == f"{gateway.base_url}/submitWorkflowError"
    assert metadata["workflowId"] == "main"
    assert metadata["processInstanceId"] == installed.id
    assert metadata["processId"] == installed.process_id
    assert metadata["userId"] == installed.tenant.users["owner"]
    assert metadata["organizationId"] == installed.tenant.organization_id


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"city": "Bern"}, {"city": "Bern"}),
        ([1, "two"], {"data": [1, "two"]}),
        ({"payload": "text"}, {"data": "text"}),
        ({"payload": None}, {}),
        (5, {"data": 5}),
        (None, {}),
        ({}, {}),
    ],
)
async def test_a_body_without_wrapper_is_the_payload_and_what_is_no_object_goes_under_data(
    gateway: Gateway, installed: Installation, body: Any, fields: dict[str, Any]
) -> None:
    arrived = await sent(gateway, installed, body)
    del arrived["executionMetadata"]

    assert arrived == fields


async def test_an_empty_body_is_an_empty_payload(gateway: Gateway, installed: Installation) -> None:
    arrived = await sent(gateway, installed, None, json=None, content=b"")

    assert list(arrived) == ["executionMetadata"]


async def test_the_platforms_execution_metadata_wins_over_a_forged_one(
    gateway: Gateway, installed: Installation
) -> None:
    forged = {"executionId": "forged", "callbackUrl": "http://127.0.0.1:1/", "isAdmin": True}

    arrived = await sent(gateway, installed, {"payload": {"executionMetadata": forged}})

    assert arrived["executionMetadata"]["callbackUrl"].startswith(gateway.base_url)
    assert "isAdmin" not in arrived["executionMetadata"]


async def test_n8n_is_called_with_the_organizations_header_secret(
    gateway: Gateway, installed: Installation
) -> None:
    await sent(gateway, installed, {})

    (call,) = installed.calls
    assert call.headers["X-Codika-Webhook-Auth"] == installed.tenant.webhook_secret
    assert installed.key not in str(call.headers)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_trigger_declared_with_another_method_is_called_by_it_and_still_gets_a_json_body(
    world: World, gateway: Gateway, method: str
) -> None:
    installed = await world.install(method=method)
    installed.behave(started)

    arrived = await sent(gateway, installed, {"a": 1})

    assert arrived["a"] == 1
    assert installed.calls[0].method == method
    assert installed.calls[0].headers["Content-Type"] == "application/json"


async def test_a_schedule_with_a_manual_url_can_be_run_now(world: World, gateway: Gateway) -> None:
    installed = await world.install(trigger_type="schedule")
    installed.behave(started)

    arrived = await sent(gateway, installed, {})

    assert (await installed.run(arrived["executionMetadata"]["executionId"])).trigger_type == "schedule"


@pytest.mark.parametrize("size", [600_000, 5_000_000])
async def test_a_payload_larger_than_a_task_arrives_intact(
    gateway: Gateway, installed: Installation, size: int
) -> None:
    payload = {"text": "ä" * (size // 2), "list": list(range(100)), "null": None}

    arrived = await sent(gateway, installed, {"payload": payload})
    del arrived["executionMetadata"]

    assert arrived == payload


async def test_a_broken_payload_is_refused_naming_every_field_and_no_run_is_made(
    world: World, gateway: Gateway
) -> None:
    installed = await world.install(input_schema=SCHEMA)

    payload = {"amount": 1000, "note": 5}
    answer = await gateway.post(f"/webhook/{installed.path}", installed.key, {"payload": payload})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_PAYLOAD")
    assert all(field in answer.json()["error"] for field in ("email", "amount", "note"))
    assert await pending_runs(world, installed) == []
    assert installed.calls == []


async def test_a_payload_that_fits_its_schema_passes_with_unknown_extras(
    world: World, gateway: Gateway
) -> None:
    installed = await world.install(input_schema=SCHEMA)
    installed.behave(started)

    arrived = await sent(gateway, installed, {"email": "a@b.ch", "amount": 3, "extra": [1]})

    assert arrived["extra"] == [1]


async def test_an_inactive_installation_takes_no_runs(world: World, gateway: Gateway) -> None:
    installed = await world.install(active=False)
    key = installed.key

    known = await gateway.post(f"/webhook/{installed.path}", key)
    unknown = await gateway.post(f"/webhook/{installed.id}/other", key)

    assert (known.status_code, known.json()["code"]) == (412, "INSTANCE_INACTIVE")
    assert (unknown.status_code, unknown.json()["code"]) == (412, "INSTANCE_INACTIVE")
    assert await pending_runs(world, installed) == []


async def test_an_unknown_workflow_or_installation_is_not_found(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    key = world.north.keys["owner"]
    stranger = world.platform.sources.uuid7()

    workflow = await gateway.post(f"/webhook/{installed.id}/nothing", key)
    instance = await gateway.post(f"/webhook/{stranger}/main", key)

    assert (workflow.status_code, workflow.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")
    assert (instance.status_code, instance.json()["code"]) == (404, "INSTANCE_NOT_FOUND")
    assert "not found" in workflow.json()["error"]
    assert "not found" in instance.json()["error"]


async def test_a_workflow_without_http_or_manual_trigger_cannot_be_triggered(
    world: World, gateway: Gateway
) -> None:
    installed = await world.install(trigger_type=None)

    answer = await gateway.post(f"/webhook/{installed.path}", installed.key)

    assert (answer.status_code, answer.json()["code"]) == (400, "TRIGGER_NOT_SUPPORTED")


async def test_a_payload_nested_too_deeply_is_a_bad_request(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    for depth in (10, 198, 199, 253, 300, 1000, 100_000):
        body = b'{"payload":{"list":' + b"[" * depth + b"]" * depth + b"}}"
        headers = {"X-API-Key": installed.key}

        answer = await gateway.http.post(f"/webhook/{installed.path}", content=body, headers=headers)

        assert answer.status_code == (200 if depth <= 198 else 400), (depth, answer.text)
        if answer.status_code == 400:
            assert answer.json()["code"] == "INVALID_REQUEST"
    # Those that were taken arrive.
    await eventually(lambda: len(installed.calls) == 2)


async def test_every_trigger_is_a_run_of_its_own(gateway: Gateway, installed: Installation) -> None:
    ids = await asyncio.gather(*(gateway.trigger(installed.path, installed.key) for _ in range(20)))

    await eventually(lambda: len(installed.calls) == 20)
    assert len(set(ids)) == 20
    assert {call.execution_id for call in installed.calls} == set(ids)
