"""Deployments that nobody ended, seen from the deployment that takes their place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.model.deployment import DeploymentStatus
from shared.model.instance import InactiveReason
from shared.store import refs
from shared.store.store import Patch
from tests.integration.world.products import Product, data_of


async def test_a_production_whose_first_deployment_hung_says_it_failed_once_another_deploy_takes_its_place(
    product: Product,
) -> None:
    deployed = await product.deploy("v1")
    production = data_of(await product.publish(deployed["templateId"]))["processInstanceId"]
    hung = (await product.instance(production)).current_deployment_instance_id
    held = {"deploying": hung, "deploying_until": datetime.now(UTC) - timedelta(minutes=1)}
    never_ran = {"is_active": False, "live_deployment_instance_id": None}
    await product.world.platform.store.commit(
        Patch(refs.deployment(hung), {"deployment_status": DeploymentStatus.DEPLOYING}),
        Patch(refs.instance(production), {**held, **never_ran}),
        Patch(refs.project(product.project_id), held),
    )

    later = await product.deploy("v2")

    assert later["deploymentStatus"] == "deployed"
    instance = await product.instance(production)
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.DEPLOY_FAILED)
    assert instance.deploying is None
    listed = await product.world.gateway.get("/listProcessInstancesPublic", product.tenant.keys["owner"])
    (row,) = [r for r in listed.json()["data"]["instances"] if r["processInstanceId"] == production]
    assert row["inactiveReason"] == "deploy_failed"
    assert data_of(await product.rerun(production))["deploymentStatus"] == "deployed"
    assert product.greets(production) == ["Hello", "v1"]
