"""Tokens and costs of language models, counted after a run (platform §15.6)."""

from __future__ import annotations

from typing import Any

from shared.model.plans import ALLOWANCES, Plan
from shared.store import refs
from shared.store.store import Patch
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import reporting
from tests.integration.world.world import World

Json = dict[str, Any]
KIND = "@n8n/n8n-nodes-langchain.lmChatOpenAi"


def record(
    installed: Installation, n8n_id: str, prompt: int, status: str = "success", child: str = ""
) -> None:
    """Let n8n keep a run in which a model was asked, and which maybe called a sub-workflow."""
    installed.n8n.record(None, status, workflow_id=installed.n8n_workflow_id, n8n_id=n8n_id)
    answer = {"tokenUsage": {"promptTokens": prompt, "completionTokens": 100, "totalTokens": prompt + 100}}
    runs: Json = {"Model": [{"data": {"ai_languageModel": [[{"json": answer}]]}}]}
    if child:
        runs["Call"] = [{"metadata": {"subExecution": {"executionId": child}}}]
    node = {"name": "Model", "type": KIND, "parameters": {"model": {"__rl": True, "value": "gpt-4o"}}}
    installed.n8n.executions[-1] |= {
        "data": {"resultData": {"runData": runs}},
        "workflowData": {"nodes": [node]},
    }


async def shown(world: World, installed: Installation, execution_id: str) -> Json:
    path = f"/getExecutionDetailsPublic/{installed.id}/{execution_id}"
    answer = await world.gateway.get(path, world.north.keys["owner"], explain="true")
    assert answer.status_code == 200, answer.text
    execution: Json = answer.json()["execution"]
    return execution


async def test_what_a_run_and_its_sub_workflows_used_is_counted_after_it_ended(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    n8n_id, child = (f"{installed.process_id}-{name}" for name in ("models", "child"))
    record(installed, child, 1_000)
    record(installed, n8n_id, 10_000, child=child)
    endpoint = refs.endpoint(installed.id, "main")
    await world.platform.store.commit(Patch(endpoint, {"uses_language_models": True}))
    installed.behave(reporting(resultData={"ok": 1}, n8nExecutionId=n8n_id))

    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: gateway.lines_about(execution_id, "measureLanguageModels"))

    execution = await shown(world, installed, execution_id)
    row = {"node": "Model", "provider": "openai", "model": "gpt-4o", "estimated": False}
    assert execution["llmUsage"] == [
        {**row, "promptTokens": 11_000, "completionTokens": 200, "calls": 2, "cost": 29_500}
    ]
    totals = {"promptTokens": 11_000, "completionTokens": 200, "cost": 29_500}
    assert execution["llmTotals"] == {**totals, "estimated": False, "unpriced": False}
    order = {"processInstanceId": installed.id, "executionId": execution_id}
    assert (await world.deliver("measureLanguageModels", order)).status_code == 200
    assert await shown(world, installed, execution_id) == execution


async def test_a_run_that_n8n_has_not_ended_is_counted_later_and_not_forever(
    world: World, installed: Installation
) -> None:
    n8n_id = f"{installed.process_id}-slow"
    record(installed, n8n_id, 10, status="running")
    execution_id = await installed.record_run(n8n_execution_id=n8n_id)
    order = {"processInstanceId": installed.id, "executionId": execution_id}

    early = await world.deliver("measureLanguageModels", order)
    token = world.task_token()
    headers = {"Authorization": f"Bearer {token}", "X-CloudTasks-TaskRetryCount": "20"}
    late = await world.gateway.http.post("/measureLanguageModels", json=order, headers=headers)

    assert (early.status_code, late.status_code) == (503, 200)
    assert (await shown(world, installed, execution_id))["llmTotals"]["promptTokens"] == 10


async def test_a_run_that_tells_nothing_costs_what_its_author_says(
    world: World, installed: Installation
) -> None:
    execution_id = await installed.record_run(n8n_execution_id="pruned", llm_cost_estimate=0.5)
    order = {"processInstanceId": installed.id, "executionId": execution_id}

    assert (await world.deliver("measureLanguageModels", order)).status_code == 200

    run = await installed.run(execution_id)
    assert run.llm_totals is not None
    assert (run.llm_totals.configured_cost, run.llm_totals.estimated, run.llm_usage) == (0.5, True, [])


async def test_a_model_that_another_organizations_run_asked_is_not_counted(
    world: World, installed: Installation
) -> None:
    foreign = await world.install(world.south)
    n8n_id = f"{foreign.process_id}-theirs"
    record(foreign, n8n_id, 10)
    execution_id = await installed.record_run(n8n_execution_id=n8n_id)
    order = {"processInstanceId": installed.id, "executionId": execution_id}

    assert (await world.deliver("measureLanguageModels", order)).status_code == 200

    assert (await installed.run(execution_id)).llm_usage is None


async def test_a_run_is_kept_after_its_end_as_long_as_the_plan_says(
    gateway: Gateway, installed: Installation
) -> None:
    installed.behave(reporting(resultData={"ok": 1}))
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: gateway.lines_about(execution_id, "submitWorkflowResult"))

    run = await installed.run(execution_id)
    pending = await installed.run(await installed.record_run())

    assert run.expire_at is not None
    assert run.completed_at is not None
    assert (run.expire_at - run.completed_at).days in {ALLOWANCES[plan].run_days for plan in Plan}
    assert pending.expire_at is None
