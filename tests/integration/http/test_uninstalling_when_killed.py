"""The process that uninstalls is killed at every point of that; its task, or the same call, completes it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from shared.model.integrations import ContextType
from shared.store import refs
from shared.store.store import Patch
from tests.integration.world.integrations import CUSTOM, connected, record
from tests.integration.world.market import Shop, publish, shop
from tests.integration.world.products import Json, Product, data_of
from tests.integration.world.tenants import Tenant

POINTS = (
    "uninstall.booked",
    "switch.recorded",
    "switch.level_unpublished",
    "switch.unpublished",
    "uninstall.put_away",
    "uninstall.workflows_removed",
    "integration.credential_deleted",
    "uninstall.integrations_removed",
)
SCHEMA = {**CUSTOM, "contextType": "process_instance"}


@pytest.fixture
async def buyer(product: Product) -> Tenant:
    """Another organization on the same n8n."""
    return await product.world.tenant_on(product.n8n)


async def killed(product: Product, buyer: Tenant, folder: Path, at: str) -> tuple[Shop, str, str]:
    """Uninstall by a process that dies at a point; return who did it, what, and of which process."""
    world, owner = product.world, shop(product.world, buyer)
    process_id = await publish(product)
    instance_id = (await owner.installed(process_id))["processInstanceId"]
    sent: Json = {"processInstanceId": instance_id, "customIntegrationSchema": SCHEMA, "key": owner.key}
    header = {"ACME_HEADER": "X-Acme"}
    await connected(
        world, "cstm_acme", {"ACME_TOKEN": "t"}, context="process_instance", metadata=header, **sent
    )
    order = folder / "kill-at"
    order.write_text(at)
    dying = await world.another_gateway(f"dying-{folder.name}", PODIUM_KILL_FILE=str(order))
    with pytest.raises(httpx.TransportError):
        await dying.post("/uninstallProcessInstancePublic", owner.key, {"processInstanceId": instance_id})
    assert not order.exists(), f"{at} was never reached"
    assert len(await world.booked("deploy", f"uninstall-{instance_id}")) == 1
    past = world.platform.sources.now() - timedelta(seconds=1)
    await world.platform.store.commit(Patch(refs.instance(instance_id), {"deploying_until": past}))
    return owner, instance_id, process_id


async def assert_gone(
    product: Product, buyer: Tenant, owner: Shop, instance_id: str, process_id: str
) -> None:
    assert product.in_n8n(instance_id) == {}
    instance = await product.instance(instance_id)
    assert instance.uninstalled_at is not None
    assert (instance.archived, instance.is_active, instance.deploying) == (True, False, None)
    assert await record(product.world, "cstm_acme", buyer, ContextType.PROCESS_INSTANCE, instance_id) is None
    assert await product.world.platform.store.get(refs.endpoint(instance_id, "beta")) is None
    again = await owner.installed(process_id)
    assert product.greets(again["processInstanceId"]) == ["Hello", "v1"]


@pytest.mark.parametrize("at", POINTS)
async def test_the_same_call_completes_it(product: Product, buyer: Tenant, tmp_path: Path, at: str) -> None:
    owner, instance_id, process_id = await killed(product, buyer, tmp_path, at)

    answer = data_of(await owner.uninstall(instance_id))

    assert answer["removed"] is True
    await assert_gone(product, buyer, owner, instance_id, process_id)


@pytest.mark.parametrize("at", POINTS[1:])
async def test_its_task_completes_it_and_comes_twice_without_harm(
    product: Product, buyer: Tenant, tmp_path: Path, at: str
) -> None:
    owner, instance_id, process_id = await killed(product, buyer, tmp_path, at)
    body = {"processInstanceId": instance_id}

    outcomes = [data_of(await product.world.deliver("finishUninstallation", body)) for _ in range(2)]

    assert outcomes == [{"outcome": "removed"}] * 2
    await assert_gone(product, buyer, owner, instance_id, process_id)


async def test_an_uninstallation_that_died_before_it_began_did_nothing(
    product: Product, buyer: Tenant, tmp_path: Path
) -> None:
    _, instance_id, _ = await killed(product, buyer, tmp_path, "uninstall.booked")

    done = await product.world.deliver("finishUninstallation", {"processInstanceId": instance_id})

    assert data_of(done) == {"outcome": "not uninstalled"}
    assert product.greets(instance_id) == ["Hello", "v1"]
    assert (await product.instance(instance_id)).is_active


@pytest.mark.parametrize("at", ["install.booked", "install.recorded"])
async def test_an_installation_that_died_is_completed_or_never_was(
    product: Product, buyer: Tenant, tmp_path: Path, at: str
) -> None:
    process_id, owner = await publish(product), shop(product.world, buyer)
    order = tmp_path / "kill-at"
    order.write_text(at)
    dying = await product.world.another_gateway(
        f"dying-{tmp_path.name}", PODIUM_KILL_FILE=str(order), DEPLOY_LEASE_SECONDS="1"
    )
    with pytest.raises(httpx.TransportError):
        await dying.post("/installProcessPublic", owner.key, {"processId": process_id})

    again = await owner.install(process_id)

    if at == "install.booked":
        assert product.greets(data_of(again)["processInstanceId"]) == ["Hello", "v1"]
        return
    assert again.status_code == 409
    instance_id = again.json()["error"]["details"]["processInstanceId"]
    deployment = (await product.instance(instance_id)).current_deployment_instance_id
    await product.world.platform.store.commit(Patch(refs.deployment(deployment), {"lease": None}))
    resumed = await product.world.deliver("resumeDeployment", {"deploymentInstanceId": deployment})
    assert resumed.status_code in (200, 409, 503)
    if not (await product.instance(instance_id)).is_active:
        await product.world.deliver("resumeDeployment", {"deploymentInstanceId": deployment})
    assert product.greets(instance_id) == ["Hello", "v1"]
