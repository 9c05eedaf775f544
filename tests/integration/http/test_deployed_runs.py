"""What a deployment tells of the runs to come: whose workflows they are of, and whether they ask models."""

from __future__ import annotations

from shared.store import refs
from shared.store.store import Patch
from tests.chaos.ensemble import document_of, put_document
from tests.integration.world.market import shop
from tests.integration.world.products import Json, Product, data_of


def with_model(configuration: Json, workflow_id: str) -> Json:
    """Let a workflow of the use case have a language model."""
    for workflow in configuration["workflows"]:
        if workflow["workflowTemplateId"] == workflow_id:
            document = document_of(workflow)
            model = {
                "id": "model",
                "name": "Model",
                "type": "@n8n/n8n-nodes-langchain.lmChatOpenAi",
                "typeVersion": 1,
                "position": [0, 600],
                "parameters": {"model": "gpt-4o", "options": {}},
            }
            document["nodes"].append(model)
            put_document(workflow, document)
            workflow["costEstimationForLLMTokens"] = 0.25
    return configuration


async def test_a_workflow_asks_models_when_one_that_it_calls_does(product: Product) -> None:
    plain = await product.deploy("v1")
    before = await product.endpoint(plain["processInstanceId"])
    deployed = await product.deploy("v2", configuration=with_model(product.configuration("v2"), "leaf-b"))

    caller = await product.endpoint(deployed["processInstanceId"])
    called = await product.endpoint(deployed["processInstanceId"], "leaf-b")

    assert (before.uses_language_models, before.of_another) == (False, False)
    assert (caller.uses_language_models, called.uses_language_models) == (True, True)
    assert (caller.llm_cost_estimate, called.llm_cost_estimate) == (None, 0.25)


async def test_an_installation_of_anothers_process_says_so_on_its_runs(product: Product) -> None:
    deployed = await product.deploy("v1")
    published = data_of(await product.publish(deployed["templateId"], visibility="public"))
    world = product.world
    buyer = await world.tenant_on(product.n8n)
    installed = await shop(world, buyer).installed(
        (await product.project()).process_id or "", deploymentParameters={"GREETING": "Mine"}
    )

    theirs = await product.endpoint(installed["processInstanceId"])
    mine = await product.endpoint(published["processInstanceId"])
    execution_id = await world.gateway.trigger(f"{installed['processInstanceId']}/beta", buyer.keys["owner"])
    run = await world.platform.store.get(refs.execution(installed["processInstanceId"], execution_id))

    assert (theirs.of_another, mine.of_another) == (True, False)
    assert run is not None
    assert run.value.of_another


async def test_a_deployment_ends_the_errors_of_triggers(product: Product) -> None:
    deployed = await product.deploy("v1")
    instance_id = deployed["processInstanceId"]
    now = product.world.platform.sources.now()
    error = {"workflowId": "beta", "message": "m", "code": "TRIGGER_FAILED", "firstAt": now, "lastAt": now}
    await product.world.platform.store.commit(
        Patch(refs.instance(instance_id), {"trigger_errors": [{**error, "count": 2}]})
    )
    assert len((await product.instance(instance_id)).trigger_errors) == 1

    await product.deploy("v2")

    assert (await product.instance(instance_id)).trigger_errors == []
