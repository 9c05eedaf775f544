"""Activating what lost an integration, with and without it connected again (platform §4)."""

from __future__ import annotations

from typing import Any

import httpx

from shared.model.instance import InactiveReason
from tests.integration.world.integrations import connected
from tests.integration.world.products import Json, Product, data_of, refusal_of

SECRETS = {"openai": {"OPENAI_API_KEY": "sk"}, "pinecone": {"PINECONE_API_KEY": "pc"}}


async def needing(product: Product, *integrations: str) -> str:
    """Deploy a version that needs integrations, and return its installation."""
    for integration in integrations:
        await connect(product, integration)
    configuration = product.configuration("v1", integrationUids=list(integrations))
    deployed = await product.deploy("v1", configuration=configuration)
    assert deployed["deploymentStatus"] == "deployed", deployed["error"]
    return str(deployed["processInstanceId"])


async def connect(product: Product, integration: str) -> None:
    await connected(product.world, integration, SECRETS[integration], key=product.tenant.keys["owner"])


async def delete(product: Product, integration: str) -> Json:
    body: dict[str, Any] = {"integrationId": integration, "contextType": "organization"}
    return data_of(await product.post("/deleteIntegrationPublic", {**body, "confirmDeletion": True}))


async def activate(product: Product, instance_id: str) -> httpx.Response:
    return await product.post("/activateProcessInstancePublic", {"processInstanceId": instance_id})


async def test_what_lost_an_integration_is_activated_once_it_is_connected_again(product: Product) -> None:
    instance_id = await needing(product, "openai")
    assert (await delete(product, "openai"))["deactivatedCount"] == 1
    assert product.greets(instance_id) == []

    refused = await activate(product, instance_id)
    await connect(product, "openai")
    data = data_of(await activate(product, instance_id))

    assert refusal_of(refused) == (409, "MISSING_INTEGRATION")
    assert "openai" in refused.json()["error"]["message"]
    assert (data["isActive"], data["status"], data["workflowCount"]) == (True, "active", 2)
    instance = await product.instance(instance_id)
    assert (instance.is_active, instance.inactive_reason, instance.deploying) == (True, None, None)
    assert product.greets(instance_id) == ["Hello", "v1"]
    assert (await product.endpoint(instance_id)).is_active


async def test_as_long_as_another_one_is_missing_it_stays_off(product: Product) -> None:
    instance_id = await needing(product, "openai", "pinecone")
    for integration in ("openai", "pinecone"):
        await delete(product, integration)

    await connect(product, "openai")
    refused = await activate(product, instance_id)

    assert refusal_of(refused) == (409, "MISSING_INTEGRATION")
    assert "pinecone" in refused.json()["error"]["message"]
    assert "openai" not in refused.json()["error"]["message"]
    assert (await product.instance(instance_id)).inactive_reason is InactiveReason.MISSING_INTEGRATION


async def test_what_lost_an_integration_while_it_was_paused_is_not_let_run_without_it(
    product: Product,
) -> None:
    instance_id = await needing(product, "openai")
    await product.pause(instance_id)
    assert (await delete(product, "openai"))["deactivatedCount"] == 0

    refused = await activate(product, instance_id)

    assert refusal_of(refused) == (409, "MISSING_INTEGRATION")
    assert "openai" in refused.json()["error"]["message"]
    assert product.greets(instance_id) == []
    assert (await product.instance(instance_id)).inactive_reason is InactiveReason.USER_PAUSED
    await connect(product, "openai")
    assert data_of(await activate(product, instance_id))["isActive"] is True
    assert product.greets(instance_id) == ["Hello", "v1"]


async def test_what_cannot_be_deployed_again_says_so_and_stays_off(product: Product) -> None:
    instance_id = await needing(product, "openai")
    await delete(product, "openai")
    await connect(product, "openai")
    product.n8n.refuse("publish", "n8n is out of order")

    refused = await activate(product, instance_id)

    assert refusal_of(refused) == (400, "DEPLOYMENT_FAILED")
    assert "out of order" in refused.json()["error"]["message"]
    assert not (await product.instance(instance_id)).is_active
    assert data_of(await product.rerun(instance_id))["deploymentStatus"] == "deployed"
    assert (await product.instance(instance_id)).is_active


async def test_an_archived_installation_is_not_got_back_by_an_integration(product: Product) -> None:
    instance_id = await needing(product, "openai")
    await delete(product, "openai")
    await connect(product, "openai")
    data_of(await product.post("/archiveProcessInstance", {"processInstanceId": instance_id}))

    assert refusal_of(await activate(product, instance_id)) == (409, "INSTANCE_ARCHIVED")
    data_of(await product.post("/unarchiveProcessInstance", {"processInstanceId": instance_id}))
    assert (await product.instance(instance_id)).inactive_reason is InactiveReason.MISSING_INTEGRATION
    assert data_of(await activate(product, instance_id))["isActive"] is True
