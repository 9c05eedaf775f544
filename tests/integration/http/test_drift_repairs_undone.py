"""A repair that fails, or whose worker dies, leaves in n8n nothing that no record knows (decision 0020)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.integration.world.products import Json, Product, data_of

Again = Callable[[Product, str], Awaitable[Json]]


async def _repair(product: Product, instance_id: str) -> Json:
    return data_of(await product.post("/repairInstanceDriftPublic", {"processInstanceId": instance_id}))


async def _rerun(product: Product, instance_id: str) -> Json:
    return data_of(await product.rerun(instance_id, forceRedeploy=True))


@pytest.mark.parametrize("again", [_repair, _rerun])
async def test_what_a_failed_repair_created_anew_is_removed_again(product: Product, again: Again) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    of = product.in_n8n(instance_id)
    recorded = {workflow["id"] for workflow in of.values()}
    beta = of["beta"]
    del product.n8n.kept[of["leaf-b"]["id"]]
    product.n8n.edit(beta["id"], [n for n in beta["nodes"] if n["name"] != "Mark"], published=True)
    product.n8n.refuse("publish", "n8n is out of order", named=beta["name"])

    assert (await again(product, instance_id))["deploymentStatus"] == "failed"

    assert {workflow["id"] for workflow in product.n8n.named(instance_id)} <= recorded
    product.n8n.forgive()
    assert (await again(product, instance_id))["deploymentStatus"] == "deployed"
    assert len(product.n8n.named(instance_id)) == 2
