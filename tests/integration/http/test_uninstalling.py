"""Uninstalling what was installed (platform §12, decision 0017)."""

from __future__ import annotations

import pytest

from shared.model.integrations import ContextType
from shared.store import refs
from shared.store.store import Delete
from tests.integration.world.gateway import eventually
from tests.integration.world.integrations import CUSTOM, connected, record
from tests.integration.world.market import publish, shop
from tests.integration.world.products import Json, Product, data_of, refusal_of
from tests.integration.world.tenants import Tenant

SCHEMA = {**CUSTOM, "contextType": "process_instance"}


@pytest.fixture
async def buyer(product: Product) -> Tenant:
    """Another organization on the same n8n."""
    return await product.world.tenant_on(product.n8n)


async def test_an_uninstalled_process_leaves_nothing_but_its_runs(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product)
    owner, gateway = shop(product.world, buyer), product.world.gateway
    instance_id = (await owner.installed(process_id))["processInstanceId"]
    key = data_of(await owner.post("revealInstanceKey", processInstanceId=instance_id))["apiKey"]
    execution = await gateway.trigger(f"{instance_id}/beta", key)
    sent = {"processInstanceId": instance_id, "customIntegrationSchema": SCHEMA, "key": owner.key}
    header = {"ACME_HEADER": "X-Acme"}
    await connected(
        product.world, "cstm_acme", {"ACME_TOKEN": "t"}, context="process_instance", metadata=header, **sent
    )
    credential = await record(product.world, "cstm_acme", buyer, ContextType.PROCESS_INSTANCE, instance_id)
    assert credential is not None
    workflows = product.ids_in_n8n(instance_id)

    answer = data_of(await owner.uninstall(instance_id))

    assert answer == {"processInstanceId": instance_id, "uninstalled": True, "removed": True}
    assert product.in_n8n(instance_id) == {}
    assert (await gateway.post(f"/webhook/{instance_id}/beta", key)).status_code == 401
    assert (await gateway.post(f"/webhook/{instance_id}/beta", owner.key)).status_code in (404, 412)
    for archived in ("false", "true"):
        listed = data_of(await gateway.get("/listProcessInstancesPublic", owner.key, archived=archived))
        assert listed["instances"] == []
    assert await record(product.world, "cstm_acme", buyer, ContextType.PROCESS_INSTANCE, instance_id) is None
    assert credential.n8n_credential_id not in product.n8n.credentials.stored
    store = product.world.platform.store
    for n8n_id in workflows:
        assert await store.get(refs.n8n_workflow(buyer.organization_id, n8n_id)) is None
    runs = data_of(await gateway.get(f"/listExecutionsPublic/{instance_id}", owner.key))
    assert [run["executionId"] for run in runs["executions"]] == [execution]
    instance = await product.instance(instance_id)
    assert (instance.archived, instance.is_active) == (True, False)
    assert instance.uninstalled_at is not None


async def test_what_was_uninstalled_is_installed_again(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product)
    owner = shop(product.world, buyer)
    first = (await owner.installed(process_id))["processInstanceId"]
    data_of(await owner.uninstall(first))

    second = (await owner.installed(process_id, deploymentParameters={"GREETING": "Again"}))[
        "processInstanceId"
    ]

    assert second != first
    assert product.greets(second) == ["Again", "v1"]


async def test_uninstalling_twice_is_as_good_as_once(product: Product, buyer: Tenant) -> None:
    owner = shop(product.world, buyer)
    instance_id = (await owner.installed(await publish(product)))["processInstanceId"]
    data_of(await owner.uninstall(instance_id))

    again = data_of(await owner.uninstall(instance_id))

    assert (again["uninstalled"], again["removed"]) == (True, True)


async def test_what_is_paused_or_archived_is_uninstalled_as_well(product: Product, buyer: Tenant) -> None:
    owner, process_id = shop(product.world, buyer), await publish(product)
    for prepare in ("deactivateProcessInstancePublic", "archiveProcessInstance"):
        instance_id = (await owner.installed(process_id))["processInstanceId"]
        data_of(await owner.post(prepare, processInstanceId=instance_id))

        data_of(await owner.uninstall(instance_id))

        assert product.in_n8n(instance_id) == {}
        assert (await product.instance(instance_id)).uninstalled_at is not None


async def test_what_both_paused_and_archived_is_uninstalled(product: Product, buyer: Tenant) -> None:
    owner, process_id = shop(product.world, buyer), await publish(product)
    instance_id = (await owner.installed(process_id))["processInstanceId"]
    for path in ("deactivateProcessInstancePublic", "archiveProcessInstance"):
        data_of(await owner.post(path, processInstanceId=instance_id))

    data_of(await owner.uninstall(instance_id))

    assert product.in_n8n(instance_id) == {}
    assert (await owner.install(process_id)).status_code == 200


async def test_an_owners_own_environments_are_not_uninstalled(product: Product) -> None:
    await publish(product)
    process = await product.process()
    owner = shop(product.world, product.tenant)

    for instance_id in (process.dev_instance_id, process.prod_instance_id or ""):
        assert refusal_of(await owner.uninstall(instance_id)) == (409, "NOT_INSTALLED")
        assert (await product.instance(instance_id)).is_active


async def test_only_its_owner_and_managers_uninstall(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product)
    member = shop(product.world, buyer, "member")
    instance_id = (await member.installed(process_id))["processInstanceId"]

    for stranger in (shop(product.world, buyer, "guest"), shop(product.world, product.tenant)):
        assert (await stranger.uninstall(instance_id)).status_code == 403
    assert (await product.instance(instance_id)).is_active
    data_of(await shop(product.world, buyer, "admin").uninstall(instance_id))
    assert (await product.instance(instance_id)).uninstalled_at is not None


async def test_somebody_who_may_only_use_an_installation_does_not_uninstall_it(
    product: Product, buyer: Tenant
) -> None:
    process_id = await publish(product, configuration={"processType": "organizational"})
    installed = await shop(product.world, buyer).installed(process_id, sharedWith="everyone")

    answer = await shop(product.world, buyer, "member").uninstall(installed["processInstanceId"])

    assert answer.status_code == 403
    assert "owner" in answer.json()["error"]["message"]


async def test_nothing_can_be_done_to_what_is_uninstalled(product: Product, buyer: Tenant) -> None:
    owner = shop(product.world, buyer)
    instance_id = (await owner.installed(await publish(product)))["processInstanceId"]
    data_of(await owner.uninstall(instance_id))

    wishes: dict[str, Json] = {
        "activateProcessInstancePublic": {},
        "unarchiveProcessInstance": {},
        "regenerateInstanceKey": {},
        "redeployDeploymentInstancePublic": {"forceRedeploy": True},
        "shareProcessInstancePublic": {"sharedWith": "owner_only"},
    }
    for path, body in wishes.items():
        answer = await owner.post(path, processInstanceId=instance_id, **body)
        assert answer.status_code == 409, (path, answer.text)
    assert product.in_n8n(instance_id) == {}


async def test_a_workflow_that_n8n_does_not_let_go_is_removed_by_a_task(
    product: Product, buyer: Tenant
) -> None:
    owner = shop(product.world, buyer)
    instance_id = (await owner.installed(await publish(product)))["processInstanceId"]
    product.n8n.refuse("delete", "busy", status=500, times=1)

    answer = data_of(await owner.uninstall(instance_id))

    assert (answer["uninstalled"], answer["removed"]) == (True, False)
    await eventually(lambda: not product.in_n8n(instance_id))
    listed = await product.world.gateway.get("/listProcessInstancesPublic", owner.key, archived="true")
    assert data_of(listed)["instances"] == []


async def test_a_task_that_comes_before_anything_happened_does_nothing(
    product: Product, buyer: Tenant
) -> None:
    owner = shop(product.world, buyer)
    instance_id = (await owner.installed(await publish(product)))["processInstanceId"]

    answer = await product.world.deliver("finishUninstallation", {"processInstanceId": instance_id})

    assert data_of(answer) == {"outcome": "not uninstalled"}
    assert product.greets(instance_id) == ["Hello", "v1"]


async def test_managers_uninstall_what_somebody_left_behind(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product)
    instance_id = (await shop(product.world, buyer, "member").installed(process_id))["processInstanceId"]
    owner = shop(product.world, buyer)
    data_of(await owner.post("removeMember", userId=buyer.users["member"]))

    data_of(await owner.uninstall(instance_id))

    assert product.in_n8n(instance_id) == {}


async def test_production_made_before_there_were_claims_counts_as_installed(product: Product) -> None:
    process_id = await publish(product)
    process = await product.process()
    claim = refs.installation(process_id, f"{process.organization_id}:{process.owner_id}")
    store = product.world.platform.store
    assert await store.get(claim) is not None
    await store.commit(Delete(claim))

    answer = await shop(product.world, product.tenant).install(process_id)

    assert refusal_of(answer) == (409, "ALREADY_INSTALLED")
