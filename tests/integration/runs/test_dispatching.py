"""Sending runs into n8n: at most once, whatever happens on the way (design: run)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from aiohttp import web

from shared.model.execution import DispatchState
from shared.services.runs.dispatch import dispatch
from shared.services.runs.order import DispatchOrder, TryLater
from shared.store import refs
from shared.store.blobs import Blobs
from shared.store.store import Delete, Patch
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import (
    Behaviour,
    Call,
    ScriptedN8n,
    breaks_off,
    fails,
    forbidden,
    hangs,
    not_registered,
    reporting,
    started,
    starts_up,
)
from tests.integration.world.world import World


async def test_a_run_triggered_while_n8n_is_down_is_delivered_once_when_it_is_back(
    world: World, gateway: Gateway, own_n8n: ScriptedN8n
) -> None:
    installed = await world.install(n8n=own_n8n)
    installed.behave(reporting(resultData={"late": True}))
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: len(gateway.lines_about(execution_id, "dispatchExecution 503")) >= 2)
    assert (await installed.run(execution_id)).status == "pending"

    await own_n8n.come_up()
    ended = await gateway.status(installed.id, execution_id, installed.key, wait=15)

    assert (ended["status"], ended["resultData"]) == ("success", {"late": True})
    assert len(installed.calls) == 1


async def test_a_run_that_reaches_n8n_while_it_starts_up_is_sent_again_until_it_is_taken(
    gateway: Gateway, installed: Installation
) -> None:
    installed.behave(starts_up, starts_up, reporting(resultData=1))
    execution_id = await gateway.trigger(installed.path, installed.key)

    ended = await gateway.status(installed.id, execution_id, installed.key, wait=15)

    assert ended["status"] == "success"
    assert len(installed.calls) == 3


async def test_a_run_that_ends_while_n8n_refuses_to_take_it_stays_ended(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    async def ends_meanwhile(call: Call) -> web.StreamResponse:
        await reporting("submitWorkflowError", errorMessage="Given up")(call)
        return await starts_up(call)

    installed.behave(ends_meanwhile)
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: gateway.lines_about(execution_id, "dispatchExecution 200"))

    first, *_, last = gateway.lines_about(execution_id, "dispatchExecution")
    assert (first["httpRequest"]["status"], last["outcome"]) == (503, "already finished")
    assert (await installed.run(execution_id)).status == "failed"
    assert len(installed.calls) == 1


@pytest.mark.parametrize(
    ("refusal", "code"), [(not_registered, "WEBHOOK_NOT_REGISTERED"), (forbidden, "WEBHOOK_FORBIDDEN")]
)
async def test_a_run_that_n8n_refuses_fails_at_once_with_a_code(
    gateway: Gateway, installed: Installation, refusal: Behaviour, code: str
) -> None:
    installed.behave(refusal)
    execution_id = await gateway.trigger(installed.path, installed.key)

    ended = await gateway.status(installed.id, execution_id, installed.key, wait=10)

    assert ended["status"] == "failed"
    assert (ended["errorDetails"]["type"], ended["errorDetails"]["code"]) == ("node_failure", code)
    assert len(installed.calls) == 1


async def test_a_run_that_fails_in_n8n_without_reporting_is_settled_by_a_look_at_n8n(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    installed.behave(fails)
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: gateway.lines_about(execution_id, "dispatchExecution 200"))
    assert (await installed.run(execution_id)).status == "pending"
    due = (await world.booked("supervise", execution_id))[f"settle-{execution_id}"]
    assert timedelta(seconds=5) < due - world.platform.sources.now() < timedelta(seconds=11)
    error = {"message": "The service is on fire", "node": {"name": "Ask"}}
    workflow = installed.n8n_workflow_id
    n8n_id = installed.n8n.record(execution_id, "error", workflow_id=workflow, error=error, last_node="Ask")

    await world.deliver("superviseExecution", order(installed, execution_id))

    run = await installed.run(execution_id)
    assert (run.status, run.n8n_execution_id) == ("failed", n8n_id)
    assert run.error_details is not None
    assert run.error_details["message"] == "The service is on fire"
    assert run.error_details["failedNodeName"] == "Ask"


async def test_a_workflow_that_takes_its_time_is_accepted_and_not_called_again(
    gateway: Gateway, installed: Installation
) -> None:
    installed.behave(hangs)
    execution_id = await gateway.trigger(installed.path, installed.key)

    (line,) = await eventually(lambda: gateway.lines_about(execution_id, "dispatchExecution"))

    assert line["outcome"] == "accepted"
    assert len(installed.calls) == 1
    assert (await installed.run(execution_id)).status == "pending"


async def test_a_run_whose_connection_broke_is_not_sent_again_when_n8n_has_it(
    gateway: Gateway, installed: Installation
) -> None:
    installed.behave(breaks_off)
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: gateway.lines_about(execution_id, "dispatchExecution 503"))
    installed.n8n.record(execution_id, "running", workflow_id=installed.n8n_workflow_id)

    (line,) = await eventually(lambda: gateway.lines_about(execution_id, "dispatchExecution 200"))

    assert line["outcome"] == "found in n8n"
    assert (await installed.run(execution_id)).status == "pending"
    assert len(installed.calls) == 1


async def test_a_run_whose_connection_broke_is_sent_again_when_n8n_never_got_it(
    gateway: Gateway, installed: Installation
) -> None:
    installed.behave(breaks_off, reporting(resultData={"second": True}))
    execution_id = await gateway.trigger(installed.path, installed.key)

    ended = await gateway.status(installed.id, execution_id, installed.key, wait=20)

    assert (ended["status"], ended["resultData"]) == ("success", {"second": True})
    assert len(installed.calls) == 2


async def test_a_run_that_n8n_would_not_show_is_never_sent_again(
    gateway: Gateway, installed: Installation
) -> None:
    installed.n8n.settings[installed.n8n_workflow_id] = {"saveDataSuccessExecution": "none"}
    installed.behave(breaks_off)
    execution_id = await gateway.trigger(installed.path, installed.key)

    await eventually(lambda: gateway.lines_about(execution_id, "dispatchExecution 200"))

    assert (await installed.run(execution_id)).dispatch is DispatchState.ACCEPTED
    assert len(installed.calls) == 1


async def test_a_run_waits_while_a_deployment_switches_versions(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    installed.behave(reporting(resultData=1))
    reference = refs.endpoint(installed.id, "main")
    later = world.platform.sources.now() + timedelta(minutes=5)
    await world.platform.store.commit(Patch(reference, {"held_until": later}))
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: len(gateway.lines_about(execution_id, "dispatchExecution 503")) >= 2)
    assert installed.calls == []

    await world.platform.store.commit(Patch(reference, {"held_until": None}))
    ended = await gateway.status(installed.id, execution_id, installed.key, wait=15)

    assert ended["status"] == "success"
    assert len(installed.calls) == 1


async def test_a_run_goes_where_its_workflow_is_when_it_is_sent(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    task = await dispatch_body(installed)
    endpoint = await installed.endpoint()
    assert endpoint.target is not None
    moved = endpoint.target.model_copy(update={"url": f"{installed.n8n.url}/webhook/moved/{installed.id}"})
    changes = {"target": moved, "version": "1.7", "deployment_instance_id": "newer"}
    await world.platform.store.commit(Patch(refs.endpoint(installed.id, "main"), changes))
    installed.n8n.behave(f"moved/{installed.id}", started)

    await world.deliver("dispatchExecution", task)

    assert len(installed.n8n.calls_of(f"moved/{installed.id}")) == 1
    run = await installed.run(task["executionId"])
    assert (run.template_version, run.deployment_instance_id) == ("1.7", "newer")


async def test_a_run_of_a_workflow_that_was_removed_fails_with_a_code(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    task = await dispatch_body(installed)
    await world.platform.store.commit(Delete(refs.endpoint(installed.id, "main")))

    await world.deliver("dispatchExecution", task)

    run = await installed.run(task["executionId"])
    assert run.error_details is not None
    assert (run.status, run.error_details["code"]) == ("failed", "WORKFLOW_REMOVED")
    assert installed.calls == []


async def test_two_deliveries_of_a_dispatch_task_at_once_make_one_call(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    task = await dispatch_body(installed)

    answers = await asyncio.gather(*(world.deliver("dispatchExecution", task) for _ in range(8)))

    assert sorted({answer.status_code for answer in answers}) == [200, 503]
    assert len([answer for answer in answers if answer.status_code == 200]) == 1
    assert len(installed.calls) == 1


async def test_a_delivery_that_comes_after_the_run_was_sent_finds_it_in_n8n(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    task = await dispatch_body(installed)
    installed.behave(started)
    await world.deliver("dispatchExecution", task)
    installed.n8n.record(task["executionId"], "running", workflow_id=installed.n8n_workflow_id)

    too_early = await world.deliver("dispatchExecution", task)
    await asyncio.sleep(1.7)
    late = await world.deliver("dispatchExecution", task)
    later = await world.deliver("dispatchExecution", task)

    assert too_early.status_code == 503
    assert late.json()["data"]["outcome"] == "found in n8n"
    assert later.json()["data"]["outcome"] == "already accepted"
    assert len(installed.calls) == 1


async def test_a_run_whose_worker_died_before_sending_is_sent_by_the_next_delivery(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    task = await dispatch_body(installed, **claimed(world))

    while (answer := await world.deliver("dispatchExecution", task)).status_code == 503:
        await asyncio.sleep(0.2)

    assert answer.json()["data"]["outcome"] == "accepted"
    assert len(installed.calls) == 1


async def test_a_run_whose_worker_died_waits_while_n8n_cannot_be_asked_about_it(
    world: World, gateway: Gateway, own_n8n: ScriptedN8n
) -> None:
    installed = await world.install(n8n=own_n8n)
    task = await dispatch_body(installed, **claimed(world))
    await asyncio.sleep(1.7)

    answer = await world.deliver("dispatchExecution", task)

    assert answer.status_code == 503
    assert (await installed.run(task["executionId"])).dispatch is DispatchState.SENDING


async def test_a_task_whose_run_was_never_recorded_ends_after_a_few_deliveries(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    body = {**await dispatch_body(installed), "executionId": world.platform.sources.uuid7()}
    headers = {"Authorization": f"Bearer {world.task_token()}"}

    first = await gateway.http.post("/dispatchExecution", json=body, headers=headers)
    headers["X-CloudTasks-TaskRetryCount"] = "5"
    last = await gateway.http.post("/dispatchExecution", json=body, headers=headers)

    assert first.status_code == 503
    assert last.json()["data"]["outcome"] == "never accepted"
    assert installed.calls == []


async def test_a_delivery_for_a_run_that_ended_does_nothing(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    installed.behave(reporting(resultData=1))
    task = await dispatch_body(installed)
    await world.deliver("dispatchExecution", task)

    again = await world.deliver("dispatchExecution", task)

    assert again.json()["data"]["outcome"] == "already finished"
    assert len(installed.calls) == 1


async def test_a_workflow_may_answer_with_any_status_without_its_run_being_failed(
    gateway: Gateway, installed: Installation
) -> None:
    async def teapot(call: object) -> web.StreamResponse:
        return web.json_response({"message": "I chose this"}, status=418)

    installed.behave(teapot)
    execution_id = await gateway.trigger(installed.path, installed.key)
    installed.n8n.record(execution_id, "running", workflow_id=installed.n8n_workflow_id)
    await eventually(lambda: gateway.lines_about(execution_id, "dispatchExecution 200"))

    assert (await installed.run(execution_id)).status == "pending"
    assert len(installed.calls) == 1


def order(installed: Installation, execution_id: str) -> dict[str, Any]:
    return {"processInstanceId": installed.id, "executionId": execution_id, "round": 0}


async def dispatch_body(installed: Installation, **run: object) -> dict[str, Any]:
    """Record a run, and return the body of a dispatch task for it that no queue delivers."""
    endpoint = await installed.endpoint()
    assert endpoint.target is not None
    return {
        "processInstanceId": installed.id,
        "executionId": await installed.record_run(**run),
        "organizationId": installed.tenant.organization_id,
        "processId": installed.process_id,
        "workflowId": "main",
        "userId": endpoint.user_id,
        "url": endpoint.target.url,
        "method": endpoint.target.method,
        "webhookSecret": endpoint.webhook_secret,
        "payload": {"a": 1},
    }


def claimed(world: World) -> dict[str, object]:
    """A run whose worker claimed it just now and died."""
    return {"dispatch": DispatchState.SENDING, "started_at": world.platform.sources.now()}


async def test_a_worker_that_is_too_slow_to_send_leaves_the_run_to_the_next_delivery(
    world: World, installed: Installation
) -> None:
    payload = orjson.dumps({"a": 1})
    (digest,) = await world.platform.blobs.put(installed.tenant.organization_id, [payload])
    task = {**await dispatch_body(installed), "payload": None, "payloadBlob": digest}
    slow = copy(world.platform)
    slow.settings = replace(world.platform.settings, dispatch_accept_after=timedelta(seconds=1))
    slow.n8n = world.platform.n8n
    slow.blobs = SlowBlobs(world.platform.store)

    first = asyncio.create_task(dispatch(slow, DispatchOrder.model_validate(task), 0))
    while (await installed.run(task["executionId"])).dispatch is DispatchState.QUEUED:
        await asyncio.sleep(0.01)
    while (answer := await world.deliver("dispatchExecution", task)).status_code == 503:
        await asyncio.sleep(0.1)
    installed.n8n.record(task["executionId"], "running", workflow_id=installed.n8n_workflow_id)
    with pytest.raises(TryLater):
        await first

    assert answer.json()["data"]["outcome"] == "accepted"
    assert len(installed.calls) == 1


class SlowBlobs(Blobs):
    """Storage that takes longer to answer than a worker has to send."""

    async def get(self, organization_id: str, digests: Iterable[str]) -> dict[str, bytes]:
        await asyncio.sleep(2)
        return await super().get(organization_id, digests)
