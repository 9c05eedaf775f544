"""Looking after runs that report nothing (platform §15.4)."""

from __future__ import annotations

from datetime import timedelta

from shared.model.execution import DispatchState
from shared.services.runs.supervise import supervise
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import ScriptedN8n, reporting, started
from tests.integration.world.world import World


async def in_flight(installed: Installation) -> str:
    return await installed.record_run(dispatch=DispatchState.SENDING)


async def look(world: World, installed: Installation, execution_id: str) -> str:
    """Deliver the task of a look at the run; return what it decided."""
    order = {"processInstanceId": installed.id, "executionId": execution_id, "round": 0}
    answer = await world.deliver("superviseExecution", order)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["outcome"])


async def test_a_run_that_n8n_does_not_know_any_more_has_timed_out(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    execution_id = await in_flight(installed)

    assert await look(world, installed, execution_id) == "timed out"

    ended = await gateway.status(installed.id, execution_id, installed.key)
    assert ended["status"] == "failed"
    assert (ended["errorDetails"]["type"], ended["errorDetails"]["code"]) == ("timeout", "NO_REPORT")


async def test_a_run_that_failed_in_n8n_gets_its_error_and_its_n8n_id(
    world: World, installed: Installation
) -> None:
    execution_id = await in_flight(installed)
    n8n_id = installed.n8n.record(
        execution_id,
        "error",
        workflow_id=installed.n8n_workflow_id,
        error={"message": "Quota exceeded", "httpCode": "429", "node": {"name": "Ask"}},
        last_node="Ask",
    )

    assert await look(world, installed, execution_id) == "failed in n8n"

    run = await installed.run(execution_id)
    assert (run.status, run.n8n_execution_id) == ("failed", n8n_id)
    assert run.error_details is not None
    assert run.error_details["type"] == "external_api_error"
    assert run.error_details["message"] == "Quota exceeded"
    assert run.error_details["failedNodeName"] == "Ask"


async def test_a_run_that_ended_in_n8n_without_reporting_says_what_its_workflow_lacks(
    world: World, installed: Installation
) -> None:
    execution_id = await in_flight(installed)
    n8n_id = installed.n8n.record(execution_id, "success", workflow_id=installed.n8n_workflow_id)

    assert await look(world, installed, execution_id) == "timed out"

    run = await installed.run(execution_id)
    assert run.n8n_execution_id == n8n_id
    assert run.error_details is not None
    assert "ended without reporting" in str(run.error_details["message"])


async def test_a_run_that_still_runs_or_waits_in_n8n_stays_pending(
    world: World, installed: Installation
) -> None:
    for state in ("new", "running", "waiting"):
        execution_id = await in_flight(installed)
        installed.n8n.record(execution_id, state, workflow_id=installed.n8n_workflow_id)

        assert await look(world, installed, execution_id) == "still running"

        assert (await installed.run(execution_id)).status == "pending"


async def test_a_run_that_waits_for_n8n_stays_queued(world: World, installed: Installation) -> None:
    execution_id = await installed.record_run()

    assert await look(world, installed, execution_id) == "queued"

    run = await installed.run(execution_id)
    assert (run.status, run.dispatch) == ("pending", "queued")


async def test_a_run_that_waited_a_day_for_n8n_is_given_up(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    yesterday = world.platform.sources.now() - timedelta(hours=25)
    execution_id = await installed.record_run(created_at=yesterday)

    assert await look(world, installed, execution_id) == "given up"

    ended = await gateway.status(installed.id, execution_id, installed.key)
    assert ended["errorDetails"]["code"] == "N8N_UNREACHABLE"


async def test_a_run_is_not_failed_while_n8n_is_down(world: World, own_n8n: ScriptedN8n) -> None:
    installed = await world.install(n8n=own_n8n)
    execution_id = await in_flight(installed)

    assert await look(world, installed, execution_id) == "n8n is down"

    assert (await installed.run(execution_id)).status == "pending"


async def test_an_ended_or_unknown_run_needs_no_look(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    installed.behave(reporting(resultData=1))
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: gateway.lines_about(execution_id, "submitWorkflowResult"))

    assert await look(world, installed, execution_id) == "finished"
    assert await look(world, installed, "unknown") == "finished"


async def test_a_silent_run_is_looked_at_again_and_again_until_n8n_says_how_it_ended(world: World) -> None:
    hasty = await world.another_gateway("hasty", RUN_TIMEOUT_SECONDS="1")
    installed = await world.install()
    installed.behave(started)
    execution_id = await hasty.trigger(installed.path, installed.key)
    workflow = installed.n8n_workflow_id
    n8n_id = installed.n8n.record(execution_id, "running", workflow_id=workflow)
    await eventually(lambda: len(hasty.lines_about(execution_id, "superviseExecution")) >= 2)
    assert (await installed.run(execution_id)).status == "pending"

    installed.n8n.record(execution_id, "crashed", workflow_id=workflow, n8n_id=n8n_id)
    ended = await hasty.status(installed.id, execution_id, installed.key, wait=10)

    outcomes = [line["outcome"] for line in hasty.lines_about(execution_id, "superviseExecution")]
    assert outcomes[:2] == ["still running", "still running"]
    assert ended["status"] == "failed"
    assert ended["errorDetails"]["message"] == "n8n stopped while the workflow was running."


async def test_a_run_that_reports_while_it_is_looked_at_keeps_its_result(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    execution_id = await gateway.trigger(installed.path, installed.key)
    (call,) = await eventually(lambda: installed.calls)
    n8n_id = installed.n8n.record(execution_id, "success", workflow_id=installed.n8n_workflow_id)
    await reporting(resultData="mine", n8nExecutionId=n8n_id)(call)

    assert await supervise(world.platform, installed.id, execution_id, 0) == "finished"

    assert (await gateway.status(installed.id, execution_id, installed.key))["resultData"] == "mine"


async def test_a_run_n8n_has_no_trace_of_is_looked_for_again_before_it_fails(
    world: World, installed: Installation
) -> None:
    sent_at = world.platform.sources.now()
    execution_id = await installed.record_run(dispatch=DispatchState.SENDING, started_at=sent_at)

    first = await supervise(world.platform, installed.id, execution_id, 0)
    sent_again = await supervise(
        world.platform, installed.id, execution_id, 1, sent_at - timedelta(seconds=1)
    )
    assert (await installed.run(execution_id)).status == "pending"
    second = await supervise(world.platform, installed.id, execution_id, 1, sent_at)

    assert (first, sent_again, second) == ("missing", "missing", "timed out")
