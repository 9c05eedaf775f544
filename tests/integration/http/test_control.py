"""Cancelling, retrying and replaying runs, one at a time (decision 0028)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from shared.model.audit import AuditAction
from shared.model.execution import DispatchState, ExecutionStatus
from shared.services.runs.secret import PURPOSE, mint
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Patch
from tests.integration.world.audits import events
from tests.integration.world.gateway import eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import hangs, reporting, started
from tests.integration.world.world import World

EMAIL = [{"key": "email", "type": "string", "label": "E-mail", "required": True}]


async def ask(world: World, name: str, installed: Installation, run: str, body: Any = None) -> httpx.Response:
    return await world.gateway.post(f"/{name}/{installed.id}/{run}", world.north.keys["owner"], body)


async def told(world: World, name: str, installed: Installation, run: str, body: Any = None) -> Any:
    answer = await ask(world, name, installed, run, body)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def secret_of(world: World, installed: Installation, execution_id: str) -> str:
    key = await world.platform.vault.mac_key(PURPOSE)
    return mint(key, installed.tenant.organization_id, installed.id, execution_id)


async def test_a_run_that_waits_is_cancelled_and_never_sent(world: World, installed: Installation) -> None:
    run = await installed.record_run()

    data = await told(world, "cancelExecutionPublic", installed, run)
    again = await told(world, "cancelExecutionPublic", installed, run)
    order = {"processInstanceId": installed.id, "executionId": run, "organizationId": "", "processId": ""}
    order |= {"workflowId": "main", "userId": "", "url": "", "method": "POST", "webhookSecret": ""}
    sent = await world.deliver("dispatchExecution", order)
    stopped = await world.deliver("stopExecution", {"processInstanceId": installed.id, "executionId": run})

    assert data == {"executionId": run, "status": "failed", "errorCode": "CANCELLED"} == again
    assert sent.json()["data"]["outcome"] == "already finished"
    assert stopped.json()["data"]["outcome"] == "never sent"
    assert installed.calls == []
    state = await world.gateway.status(installed.id, run, installed.key)
    assert (state["status"], state["errorDetails"]["type"]) == ("failed", "unknown")
    assert state["errorDetails"]["code"] == "CANCELLED"


async def test_a_run_in_n8n_is_stopped_there_and_what_it_reports_late_is_refused(
    world: World, installed: Installation
) -> None:
    installed.behave(hangs)
    run = await world.gateway.trigger(installed.path, installed.key)
    call = (await eventually(lambda: installed.calls))[0]
    installed.n8n.record(run, "running", workflow_id=installed.n8n_workflow_id)

    await told(world, "cancelExecutionPublic", installed, run)
    await eventually(lambda: installed.n8n.executions[-1]["status"] == "canceled")
    late = {"executionId": run, "executionSecret": call.metadata["executionSecret"], "resultData": 1}
    answer = await world.gateway.callback("submitWorkflowResult", late)

    assert (answer.status_code, answer.json()["code"]) == (409, "EXECUTION_NOT_PENDING")
    assert (await installed.run(run)).status == "failed"


async def test_a_run_that_ended_cannot_be_cancelled_and_the_answer_says_how_it_ended(
    world: World, installed: Installation
) -> None:
    run = await installed.record_run(status=ExecutionStatus.SUCCESS, result_data="1")

    answer = await ask(world, "cancelExecutionPublic", installed, run)

    assert refusal(answer) == (409, "EXECUTION_NOT_PENDING")
    assert answer.json()["error"]["details"] == {"status": "success"}


async def test_a_cancellation_is_in_the_audit_log_once(world: World, installed: Installation) -> None:
    run = await installed.record_run()
    for _ in range(3):
        await told(world, "cancelExecutionPublic", installed, run)

    found = await events(world, world.north.organization_id, AuditAction.EXECUTION_CANCELLED)

    assert [entry.target for entry in found].count(run) == 1


@pytest.mark.parametrize("dispatch", list(DispatchState))
@pytest.mark.parametrize("result_first", [True, False])
async def test_whoever_ends_a_run_first_wins_in_every_state_of_its_dispatch(
    world: World, installed: Installation, dispatch: DispatchState, result_first: bool
) -> None:
    run = await installed.record_run(dispatch=dispatch, started_at=world.platform.sources.now())
    report = {"executionId": run, "executionSecret": await secret_of(world, installed, run), "resultData": 1}

    async def cancelled() -> int:
        return (await ask(world, "cancelExecutionPublic", installed, run)).status_code

    async def reported() -> int:
        return (await world.gateway.callback("submitWorkflowResult", report)).status_code

    both = (reported, cancelled) if result_first else (cancelled, reported)
    answers = [await one() for one in both]

    assert answers == [200, 409]
    assert (await installed.run(run)).status == ("success" if result_first else "failed")


@pytest.mark.parametrize("round_", range(4))
async def test_when_cancel_result_and_dispatch_race_there_is_one_outcome_and_all_agree_on_it(
    world: World, installed: Installation, round_: int
) -> None:
    installed.behave(reporting(resultData=1) if round_ % 2 else started)
    run = await world.gateway.trigger(installed.path, installed.key)
    await asyncio.sleep(0.02 * round_)
    answers = await asyncio.gather(*(ask(world, "cancelExecutionPublic", installed, run) for _ in range(3)))
    ended = await installed.run(run)
    await asyncio.sleep(0.3)

    codes = {answer.status_code for answer in answers}
    assert codes == ({409} if ended.status == "success" else {200})
    assert (await installed.run(run)).outcome_digest == ended.outcome_digest
    assert len(installed.calls) <= 1


async def test_a_retry_has_the_same_input_and_both_runs_name_each_other(
    world: World, installed: Installation
) -> None:
    installed.behave(reporting("submitWorkflowError", errorMessage="Boom"), reporting(resultData="fine"))
    first = await world.gateway.trigger(installed.path, installed.key, {"a": [1, {"b": None}]})
    assert (await world.gateway.status(installed.id, first, installed.key, wait=10))["status"] == "failed"

    data = await told(world, "retryExecutionPublic", installed, first)
    second = await world.gateway.status(installed.id, data["executionId"], installed.key, wait=10)

    assert data == {"executionId": second["executionId"], "retryOf": first}
    assert (second["status"], second["retryOf"]) == ("success", first)
    one, other = (
        {name: value for name, value in call.body.items() if name != "executionMetadata"}
        for call in installed.calls
    )
    assert one == other == {"a": [1, {"b": None}]}
    state = await world.gateway.status(installed.id, first, installed.key)
    assert (state["status"], state["repeatedAs"]) == ("failed", data["executionId"])


async def test_a_large_input_is_retried_from_where_it_is_kept(world: World, installed: Installation) -> None:
    text = "x" * 600_000
    first = await world.gateway.trigger(installed.path, installed.key, {"text": text})
    await eventually(lambda: len(installed.calls) == 1)
    await told(world, "cancelExecutionPublic", installed, first)

    await told(world, "retryExecutionPublic", installed, first)
    await eventually(lambda: len(installed.calls) == 2)

    assert installed.calls[1].body["text"] == text


async def test_a_pending_run_is_not_run_again(world: World, installed: Installation) -> None:
    run = await installed.record_run()

    for name in ("retryExecutionPublic", "replayExecutionPublic"):
        assert refusal(await ask(world, name, installed, run)) == (409, "EXECUTION_PENDING")


async def ended(installed: Installation, **fields: Any) -> str:
    given = {"status": ExecutionStatus.FAILED, "trigger_data": '{"email":"a@b.example"}'}
    return await installed.record_run(**{**given, **fields})


async def test_a_retry_wants_the_version_the_run_ran_on_and_a_replay_takes_what_is_live(
    world: World, installed: Installation
) -> None:
    run = await ended(installed, template_version="0.9")

    for name, body in (("retryExecutionPublic", {}), ("replayExecutionPublic", {"version": "same"})):
        answer = await ask(world, name, installed, run, body)
        assert refusal(answer) == (409, "VERSION_NOT_LIVE")
        assert answer.json()["error"]["details"] == {"version": "0.9", "liveVersion": "1.0"}
        assert "Roll the process instance back to 0.9" in answer.json()["error"]["message"]
    data = await told(world, "replayExecutionPublic", installed, run)

    assert data == {"executionId": data["executionId"], "replayOf": run}
    assert (await installed.run(data["executionId"])).template_version == "1.0"


async def test_an_edited_payload_is_sent_and_held_against_the_input_schema(world: World) -> None:
    installed = await world.install(input_schema=EMAIL)
    installed.behave(started)
    run = await ended(installed)

    wrong = await ask(world, "replayExecutionPublic", installed, run, {"payload": {"mail": 1}})
    await told(world, "replayExecutionPublic", installed, run, {"payload": {"email": "c@d.example"}})
    call = (await eventually(lambda: installed.calls))[0]

    assert refusal(wrong) == (400, "INVALID_PAYLOAD")
    assert "email" in wrong.json()["error"]["message"]
    assert call.body["email"] == "c@d.example"


@pytest.mark.parametrize(
    "kept", [{"trigger_data": None}, {"trigger_data_truncated": True}, {"trigger_data_blob": "0" * 64}]
)
async def test_a_run_whose_input_is_not_kept_can_only_be_replayed_with_a_payload(
    world: World, installed: Installation, kept: dict[str, Any]
) -> None:
    run = await ended(installed, **kept)

    for name in ("retryExecutionPublic", "replayExecutionPublic"):
        assert refusal(await ask(world, name, installed, run)) == (409, "INPUT_NOT_AVAILABLE")
    assert (await ask(world, "replayExecutionPublic", installed, run, {"payload": {}})).status_code == 200


async def test_nothing_runs_again_in_an_installation_that_is_off(world: World) -> None:
    installed = await world.install(active=False)

    answer = await ask(world, "retryExecutionPublic", installed, await ended(installed))

    assert refusal(answer) == (412, "INSTANCE_INACTIVE")


async def test_a_run_that_n8n_started_is_replayed_only_where_a_call_can_start_one(world: World) -> None:
    scheduled = await world.install(trigger_type=None)
    callable_ = await world.install(trigger_type="schedule")
    callable_.behave(started)
    fields = {"trigger_type": "schedule", "trigger_data": '[{"at":"06:00"}]'}

    refused = await ask(world, "replayExecutionPublic", scheduled, await ended(scheduled, **fields))
    await told(world, "replayExecutionPublic", callable_, await ended(callable_, **fields))
    call = (await eventually(lambda: callable_.calls))[0]

    assert refusal(refused) == (400, "TRIGGER_NOT_SUPPORTED")
    assert call.body["data"] == [{"at": "06:00"}]


async def test_a_run_of_a_workflow_that_is_gone_says_so(world: World, installed: Installation) -> None:
    run = await ended(installed, workflow_id="older")

    answer = await ask(world, "retryExecutionPublic", installed, run)

    assert refusal(answer) == (404, "WORKFLOW_NOT_FOUND")


async def test_a_cancelled_run_that_is_on_its_way_is_looked_for_until_it_cannot_arrive_any_more(
    world: World, installed: Installation
) -> None:
    sent_at = world.platform.sources.now()
    run = await installed.record_run(dispatch=DispatchState.SENDING, started_at=sent_at)
    await told(world, "cancelExecutionPublic", installed, run)
    order = {"processInstanceId": installed.id, "executionId": run}

    early = await world.deliver("stopExecution", order)
    n8n_id = installed.n8n.record(run, "running", workflow_id=installed.n8n_workflow_id)
    later = await world.deliver("stopExecution", order)

    assert early.status_code == 503
    assert later.json()["data"]["outcome"] == "stopped"
    assert next(row for row in installed.n8n.executions if row["id"] == n8n_id)["status"] == "canceled"


async def test_what_is_retried_reaches_n8n_as_often_as_it_was_asked_for(
    world: World, installed: Installation
) -> None:
    run = await ended(installed)
    made = [await told(world, "retryExecutionPublic", installed, run) for _ in range(3)]
    await eventually(lambda: len(installed.calls) >= 3)

    sent = sorted(call.execution_id for call in installed.calls)

    assert sent == sorted(data["executionId"] for data in made)
    assert orjson.loads((await installed.run(sent[0])).trigger_data or "") == {"email": "a@b.example"}


async def test_a_run_of_another_organization_is_not_touched(world: World, installed: Installation) -> None:
    run = await installed.record_run()

    answer = await world.gateway.post(
        f"/cancelExecutionPublic/{installed.id}/{run}", world.south.keys["owner"]
    )

    assert refusal(answer) == (403, "FORBIDDEN")
    assert (await installed.run(run)).status == "pending"


async def test_a_claim_that_was_made_on_what_was_read_before_the_cancellation_fails(
    world: World, installed: Installation
) -> None:
    run = await installed.record_run()
    found = await world.platform.store.get(refs.execution(installed.id, run))
    assert found is not None
    await told(world, "cancelExecutionPublic", installed, run)

    claim = Patch(found.ref, {"dispatch": DispatchState.SENDING}, found.update_time)
    with pytest.raises(Changed):
        await world.platform.store.commit(claim)


async def test_a_retry_with_an_idempotency_key_begins_one_run(world: World, installed: Installation) -> None:
    run = await ended(installed)
    path = f"/replayExecutionPublic/{installed.id}/{run}"
    headers = {"X-API-Key": world.north.keys["owner"], "Idempotency-Key": "once"}

    answers = [await world.gateway.http.post(path, json={}, headers=headers) for _ in range(3)]
    other = await world.gateway.http.post(path, json={"payload": {"b": 1}}, headers=headers)

    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    assert len({answer.json()["data"]["executionId"] for answer in answers}) == 1
    assert "Idempotent-Replayed" not in answers[0].headers
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert refusal(other) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert (await installed.run(run)).repeated_as == answers[0].json()["data"]["executionId"]
