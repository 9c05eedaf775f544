"""Installing published processes (platform §12, decision 0017)."""

from __future__ import annotations

import asyncio

import pytest

from shared.store import refs
from shared.store.store import Patch
from tests.integration.world.market import publish, shop
from tests.integration.world.products import Product, data_of, refusal_of
from tests.integration.world.tenants import Tenant


@pytest.fixture
async def buyer(product: Product) -> Tenant:
    """Another organization on the same n8n."""
    return await product.world.tenant_on(product.n8n)


async def test_another_organization_installs_a_public_process_with_its_own_parameters(
    product: Product, buyer: Tenant
) -> None:
    process_id = await publish(product)

    answer = await shop(product.world, buyer).install(process_id, deploymentParameters={"GREETING": "Moin"})

    data = data_of(answer)
    assert set(data) == {
        "processInstanceId",
        "processId",
        "organizationId",
        "version",
        "environment",
        "isActive",
        "deploymentInstanceId",
        "deploymentStatus",
    }
    instance_id = data["processInstanceId"]
    assert (data["version"], data["environment"], data["isActive"]) == ("1.0", "prod", True)
    assert (data["organizationId"], data["deploymentStatus"]) == (buyer.organization_id, "deployed")
    assert product.greets(instance_id) == ["Moin", "v1"]
    process = await product.process()
    assert product.greets(process.prod_instance_id or "") == ["Hello", "v1"]
    assert not product.ids_in_n8n(instance_id) & product.ids_in_n8n(process.prod_instance_id or "")


async def test_an_installation_belongs_to_whoever_installed_it(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product)

    data = await shop(product.world, buyer, "member").installed(process_id)

    listed = product.world.gateway.get
    mine = data_of(await listed("/listProcessInstancesPublic", buyer.keys["member"]))["instances"]
    assert [row["processInstanceId"] for row in mine] == [data["processInstanceId"]]
    theirs = data_of(await listed("/listProcessInstancesPublic", product.tenant.keys["owner"]))["instances"]
    assert data["processInstanceId"] not in [row["processInstanceId"] for row in theirs]
    body = {"processInstanceId": data["processInstanceId"]}
    refused = await product.post("/getProcessInstancePublic", body)
    assert refused.status_code == 403


async def test_a_personal_process_is_installed_once_by_each_user(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product)
    owner, member = shop(product.world, buyer), shop(product.world, buyer, "member")
    first = await owner.installed(process_id)

    again = await owner.install(process_id)
    another = await member.installed(process_id)

    assert refusal_of(again) == (409, "ALREADY_INSTALLED")
    assert again.json()["error"]["details"]["processInstanceId"] == first["processInstanceId"]
    assert another["processInstanceId"] != first["processInstanceId"]


async def test_an_organizational_process_is_installed_once_and_by_managers(
    product: Product, buyer: Tenant
) -> None:
    process_id = await publish(product, configuration={"processType": "organizational"})
    owner, admin = shop(product.world, buyer), shop(product.world, buyer, "admin")

    refused = await shop(product.world, buyer, "member").install(process_id)
    first = await owner.installed(process_id, sharedWith="everyone")
    again = await admin.install(process_id)

    assert refused.status_code == 403
    assert refusal_of(again) == (409, "ALREADY_INSTALLED")
    assert again.json()["error"]["details"]["processInstanceId"] == first["processInstanceId"]
    seen = data_of(await product.world.gateway.get("/listProcessInstancesPublic", buyer.keys["member"]))
    assert [row["processInstanceId"] for row in seen["instances"]] == [first["processInstanceId"]]


async def test_of_two_installations_at_once_one_is_made(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product)
    owner = shop(product.world, buyer)

    answers = await asyncio.gather(*(owner.install(process_id) for _ in range(4)))

    made = [answer for answer in answers if answer.status_code == 200]
    (instance_id,) = {data_of(answer)["processInstanceId"] for answer in made}
    assert len(made) == 1
    refused = [refusal_of(answer) for answer in answers if answer not in made]
    assert refused == [(409, "ALREADY_INSTALLED")] * 3
    seen = data_of(await product.world.gateway.get("/listProcessInstancesPublic", buyer.keys["owner"]))
    assert [row["processInstanceId"] for row in seen["instances"]] == [instance_id]


async def test_what_its_owner_runs_in_production_is_their_installation(product: Product) -> None:
    process_id = await publish(product)
    production = (await product.process()).prod_instance_id

    again = await shop(product.world, product.tenant).install(process_id)
    offer = data_of(await shop(product.world, product.tenant).show(process_id))

    assert refusal_of(again) == (409, "ALREADY_INSTALLED")
    assert again.json()["error"]["details"]["processInstanceId"] == production
    assert (offer["installed"], offer["processInstanceId"]) == (True, production)


async def test_parameters_are_judged_before_anything_is_made(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product)
    owner = shop(product.world, buyer)

    unknown = await owner.install(process_id, deploymentParameters={"NOPE": 1})
    unfit = await owner.install(process_id, deploymentParameters={"COUNT": 0})

    assert refusal_of(unknown) == (400, "INVALID_REQUEST")
    assert "deploymentParameters.NOPE" in unknown.json()["error"]["message"]
    assert "deploymentParameters.COUNT" in unfit.json()["error"]["message"]
    seen = data_of(await product.world.gateway.get("/listProcessInstancesPublic", buyer.keys["owner"]))
    assert seen["instances"] == []


async def test_a_required_parameter_without_a_default_must_be_given(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product, configuration={"defaultDeploymentParameters": {}})
    owner = shop(product.world, buyer)

    without = await owner.install(process_id)
    data = await owner.installed(process_id, deploymentParameters={"GREETING": "Moin"})

    assert refusal_of(without) == (400, "INVALID_REQUEST")
    assert "deploymentParameters.GREETING" in without.json()["error"]["message"]
    assert product.greets(data["processInstanceId"]) == ["Moin", "v1"]


async def test_an_organization_with_its_own_n8n_installs_nothing_of_others(
    product: Product, buyer: Tenant
) -> None:
    process_id = await publish(product)
    organization = refs.organization(buyer.organization_id)
    await product.world.platform.store.commit(Patch(organization, {"self_hosted": True}))

    answer = await shop(product.world, buyer).install(process_id)

    assert refusal_of(answer) == (400, "OWN_N8N")


async def test_what_is_not_shown_cannot_be_installed(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product, visibility="organizational")
    outsider = shop(product.world, buyer)

    hidden, unknown = await outsider.install(process_id), await outsider.install("nothing")

    assert refusal_of(hidden) == refusal_of(unknown) == (404, "PROCESS_NOT_FOUND")
    assert (await shop(product.world, product.tenant, "member").install(process_id)).status_code == 200


async def test_an_installation_is_triggered_with_its_own_key_and_shows_its_skills(
    product: Product, buyer: Tenant
) -> None:
    skill = {
        "name": "say-hello",
        "description": "Hello",
        "workflowTemplateId": "beta",
        "contentMarkdown": "---\nname: say-hello\ndescription: Hello\nworkflowTemplateId: beta\n---\nSay.",
        "relativePath": "skills/say-hello/SKILL.md",
    }
    deployed = await product.deploy("v1", skills=[skill])
    data_of(await product.publish(deployed["templateId"], visibility="public"))
    data = await shop(product.world, buyer).installed((await product.project()).process_id or "")
    instance_id = data["processInstanceId"]
    gateway, owner = product.world.gateway, buyer.keys["owner"]

    key = data_of(await gateway.post("/revealInstanceKey", owner, {"processInstanceId": instance_id}))
    execution = await gateway.trigger(f"{instance_id}/beta", key["apiKey"])
    skills = data_of(await gateway.get(f"/getProcessSkillsPublic/{instance_id}", owner))["skills"]

    assert (await gateway.status(instance_id, execution, key["apiKey"]))["executionId"] == execution
    assert [one["name"] for one in skills] == ["say-hello"]
    mine = product.tenant.keys["owner"]
    assert (await gateway.post(f"/webhook/{instance_id}/beta", mine)).status_code == 403
