"""The process that publishes is killed; what it published is brought to production by another one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import httpx
import pytest

from shared.model.deployment import DeploymentInstance, DeploymentStatus
from shared.model.instance import InactiveReason, ProcessInstance
from shared.model.template import TemplateStatus
from shared.store import refs
from tests.chaos.conftest import sized
from tests.chaos.figures import Tally
from tests.chaos.product import Product
from tests.chaos.site import Site, eventually

POINTS = (
    "deploy.booked",
    "deploy.recorded_pending",
    "deploy.one_created:2",
    "deploy.level_published",
    "deploy.before_commit",
    "deploy.recorded",
    "switch.recorded",
)
"""Points of a first publish whose process runs one environment at a time."""


async def publish(site: Site, product: Product, template_id: str) -> httpx.Response:
    body = {"projectId": product.project_id, "processDeploymentId": template_id, "autoToggleDevProd": True}
    return await site.call("POST", "/publishProcessDeploymentPublic", body)


async def production_of(site: Site, product: Product) -> tuple[str, ProcessInstance, DeploymentInstance]:
    """Return production once its deployment has ended."""
    process = await site.platform.store.get(refs.process((await product.project()).process_id or ""))
    assert process is not None
    instance_id = process.value.prod_instance_id
    assert instance_id is not None

    async def ended() -> tuple[ProcessInstance, DeploymentInstance] | None:
        instance = await site.platform.store.get(refs.instance(instance_id))
        assert instance is not None
        current = instance.value.current_deployment_instance_id
        deployment = await site.platform.store.get(refs.deployment(current))
        assert deployment is not None
        done = deployment.value.deployment_status.is_terminal and deployment.value.pauses is None
        return (instance.value, deployment.value) if done else None

    found = await eventually(ended, 90, what=f"the end of the publication of {product.title}")
    assert found is not None
    return instance_id, *found


@pytest.mark.parametrize("point", sized(POINTS, "deploy.booked", "deploy.level_published", "deploy.recorded"))
async def test_a_publish_is_ended_by_another_worker(
    site: Site, product: Product, tally: Tally, point: str
) -> None:
    deployed: dict[str, Any] = dict(await product.deploy(product.ensemble("v1")))
    template = refs.template(deployed["templateId"])

    site.arm(point)
    with suppress(httpx.TransportError):
        answer = await publish(site, product, deployed["templateId"])
        raise AssertionError(f"{point} was never reached: {answer.text}")
    assert not site.armed, f"{point} was never reached"
    await site.gateway_up()

    tally.kills["publishes"] += 1
    if point == "deploy.booked":
        found = await site.platform.store.get(template)
        assert found is not None
        assert found.value.status is TemplateStatus.INACTIVE
        assert (await publish(site, product, deployed["templateId"])).status_code == 200
    instance_id, instance, deployment = await production_of(site, product)
    found = await site.platform.store.get(template)
    assert found is not None
    assert found.value.status is TemplateStatus.PUBLISHED
    assert deployment.deployment_status is DeploymentStatus.DEPLOYED, deployment.error
    assert (instance.is_active, instance.deploying) == (True, None)
    dev = await product.instance()
    assert dev is not None
    assert (dev.is_active, dev.inactive_reason) == (False, InactiveReason.AUTO_TOGGLED)
    assert (await product.project()).deploying is None
    run = await site.call("POST", f"/webhook/{instance_id}/alpha", {"marker": "m"})
    outcome = await product.outcome(instance_id, run.json()["executionId"])
    assert set(outcome["resultData"].values()) == {"v1"}
    tally.outcomes["publishes deployed"] += 1
