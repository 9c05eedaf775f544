"""Publishing versions (api §5.10)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.model.apikey import KeyKind
from shared.model.instance import InactiveReason
from shared.model.scopes import Scope
from tests.integration.world.products import Json, Product, data_of, greets, new_product, refusal_of


async def published(product: Product, mark: str, **body: Any) -> Json:
    """Deploy a version and publish it."""
    deployed = await product.deploy(mark)
    return data_of(await product.publish(deployed["templateId"], **body))


async def test_the_first_publish_makes_a_production_installation_beside_dev(product: Product) -> None:
    deployed = await product.deploy("v1")

    data = data_of(await product.publish(deployed["templateId"]))

    assert set(data) == {"processDeploymentId", "version", "processInstanceId"}
    assert (data["processDeploymentId"], data["version"]) == (deployed["templateId"], "1.0")
    production = await product.instance(data["processInstanceId"])
    assert (production.environment, production.is_active, production.current_version) == ("prod", True, "1.0")
    assert production.user_id == product.tenant.users["owner"]
    assert production.deployment_parameters == {"GREETING": "Hello", "COUNT": 3}
    assert product.greets(data["processInstanceId"]) == ["Hello", "v1"]
    assert (await product.instance(deployed["processInstanceId"])).is_active
    dev, prod = product.in_n8n(deployed["processInstanceId"]), product.in_n8n(data["processInstanceId"])
    assert not {row["id"] for row in dev.values()} & {row["id"] for row in prod.values()}


async def test_production_is_called_with_a_key_of_its_own(product: Product) -> None:
    dev_id = (await product.deploy("v1"))["processInstanceId"]
    production_id = (await published(product, "v2"))["processInstanceId"]

    dev, production = await product.instance(dev_id), await product.instance(production_id)

    assert dev.instance_key != production.instance_key
    post = product.world.gateway.post
    owner = product.tenant.keys["owner"]
    assert (await post(f"/webhook/{production_id}/beta", owner)).status_code == 200


async def test_a_publish_tells_template_listing_and_project(product: Product) -> None:
    deployed = await product.deploy("v1")
    await product.publish(deployed["templateId"])

    project, process = await product.project(), await product.process()
    assert (await product.template(deployed["templateId"])).status == "published"
    assert (project.status, project.has_published_process, project.deploying) == ("completed", True, None)
    assert process.published_template_id == deployed["templateId"]
    assert process.visibility == "private"


async def test_the_next_publish_updates_production_in_place_and_deprecates_the_version_before(
    product: Product,
) -> None:
    first = await published(product, "v1")
    before = product.ids_in_n8n(first["processInstanceId"])

    second = await published(product, "v2")

    assert second["processInstanceId"] == first["processInstanceId"]
    assert second["version"] == "1.1"
    assert product.ids_in_n8n(first["processInstanceId"]) == before
    assert product.greets(first["processInstanceId"]) == ["Hello", "v2"]
    statuses = [(await product.template(one["processDeploymentId"])).status for one in (first, second)]
    assert statuses == ["deprecated", "published"]
    assert (await product.project()).status == "completed"


async def test_production_keeps_its_own_parameters(product: Product) -> None:
    production = (await published(product, "v1"))["processInstanceId"]
    data_of(await product.rerun(production, deploymentParameters={"GREETING": "Ahoy"}, forceRedeploy=True))

    dev = (await product.deploy("v2"))["processInstanceId"]
    await published(product, "v3")

    assert product.greets(dev) == ["Hello", "v3"]
    assert product.greets(production) == ["Ahoy", "v3"]


async def test_a_version_is_published_once(product: Product) -> None:
    first = await published(product, "v1")
    again = await product.publish(first["processDeploymentId"])
    await published(product, "v2")
    deprecated = await product.publish(first["processDeploymentId"])

    assert refusal_of(again) == (400, "INVALID_STATUS")
    assert refusal_of(deprecated) == (400, "INVALID_STATUS")


async def test_a_version_of_another_project_is_not_found(product: Product) -> None:
    await product.deploy("v1")
    other = await (await new_product(product.world, product.tenant, product.n8n)).deploy("v1")

    assert refusal_of(await product.publish(other["templateId"])) == (404, "TEMPLATE_NOT_FOUND")
    assert refusal_of(await product.publish("nothing")) == (404, "TEMPLATE_NOT_FOUND")
    unknown = await product.publish(other["templateId"], projectId="nothing")
    assert refusal_of(unknown) == (404, "PROJECT_NOT_FOUND")


async def test_strangers_members_and_keys_without_the_scope_publish_nothing(product: Product) -> None:
    template = (await product.deploy("v1"))["templateId"]
    north, south = product.tenant, product.world.south
    scopeless = await north.key(scopes=(Scope.PROJECTS_READ,))

    for key in (south.keys["owner"], north.keys["member"], scopeless):
        answer = await product.publish(template, key)
        assert answer.status_code == 403
    assert "deploy:use-case" in answer.json()["error"]["message"]
    assert (await product.template(template)).status == "inactive"


@pytest.mark.parametrize(
    ("process_type", "body", "visibility"),
    [
        ("personal", {}, "private"),
        ("organizational", {}, "organizational"),
        ("personal", {"visibility": "public"}, "public"),
        ("personal", {"visibilityTeamIds": "team"}, "teamList"),
        ("personal", {"visibilityUserIds": "member"}, "userList"),
    ],
)
async def test_the_first_publish_decides_who_sees_the_process(
    product: Product, process_type: str, body: dict[str, Any], visibility: str
) -> None:
    configuration = product.configuration("v1", processType=process_type)
    template = (await product.deploy("v1", configuration=configuration))["templateId"]
    team = data_of(await product.post("/createTeam", {"name": "Crew"}))["teamId"]
    ids = {"team": team, "member": product.tenant.users["member"]}
    body = {name: [ids[value]] if value in ids else value for name, value in body.items()}

    data_of(await product.publish(template, **body))
    await published(product, "v2", visibility="organizational")

    process = await product.process()
    assert process.visibility == visibility
    assert process.visibility_team_ids == body.get("visibilityTeamIds", [])
    assert process.visibility_user_ids == body.get("visibilityUserIds", [])


@pytest.mark.parametrize("field", ["visibilityTeamIds", "visibilityUserIds"])
async def test_a_publish_that_names_strangers_is_told_which(product: Product, field: str) -> None:
    template = (await product.deploy("v1"))["templateId"]
    stranger = product.world.south.users["owner"]

    named: Json = {field: [stranger, "nobody"]}

    answer = await product.publish(template, **named)

    assert refusal_of(answer) == (400, "INVALID_REQUEST")
    assert f"{stranger}, nobody" in answer.json()["error"]["message"]
    assert (await product.template(template)).status == "inactive"


@pytest.mark.parametrize(
    "body",
    [
        {"visibility": "secret"},
        {"visibility": "public", "visibilityUserIds": ["u1"]},
        {"visibilityTeamIds": ["t1"], "visibilityUserIds": ["u1"]},
        {"visibility": "userList"},
        {"sharedWith": "nobody"},
        {"projectId": 5},
        {"processDeploymentId": ""},
    ],
)
async def test_a_publish_that_contradicts_itself_changes_nothing(
    product: Product, body: dict[str, Any]
) -> None:
    template = (await product.deploy("v1"))["templateId"]

    answer = await product.publish(template, **body)

    assert refusal_of(answer) == (400, "INVALID_REQUEST")
    assert (await product.template(template)).status == "inactive"
    assert (await product.process()).prod_instance_id is None


@pytest.mark.parametrize(
    ("body", "shared_with", "member_may"),
    [
        ({}, "admins", False),
        ({"sharedWith": "owner_only"}, "owner_only", False),
        ({"sharedWith": "everyone"}, "everyone", True),
        ({"sharedWith": "users"}, "users", True),
    ],
)
async def test_an_organizational_process_is_shared_as_asked_and_admins_by_default(
    product: Product, body: dict[str, Any], shared_with: str, member_may: bool
) -> None:
    if shared_with == "users":
        body = {**body, "sharedWithUserIds": [product.tenant.users["member"]]}
    configuration = product.configuration("v1", processType="organizational")
    template = (await product.deploy("v1", configuration=configuration))["templateId"]

    production = data_of(await product.publish(template, **body))["processInstanceId"]

    instance = await product.instance(production)
    assert instance.shared_with == shared_with
    assert instance.visible_to == instance.audience
    post, keys = product.world.gateway.post, product.tenant.keys
    answers = [await post(f"/webhook/{production}/beta", keys[user]) for user in ("admin", "member")]
    assert [answer.status_code for answer in answers] == [200, 200 if member_may else 403]


async def test_sharing_stays_until_another_publish_changes_it_and_endpoints_follow_at_once(
    product: Product,
) -> None:
    configuration = product.configuration("v1", processType="organizational")

    async def publish(**body: Any) -> str:
        template = (await product.deploy("x", configuration=configuration))["templateId"]
        return str(data_of(await product.publish(template, **body))["processInstanceId"])

    production = await publish(sharedWith="everyone")
    await publish()
    assert (await product.instance(production)).shared_with == "everyone"

    configuration = product.configuration("v2", processType="organizational")
    template = (await product.deploy("x", configuration=configuration))["templateId"]
    product.n8n.refuse("publish", "no")
    data_of(await product.publish(template, sharedWith="owner_only"))
    assert product.greets(production) == ["Hello", "v1"]

    instance, endpoint = await product.instance(production), await product.endpoint(production)
    assert (instance.shared_with, endpoint.shared_with) == ("owner_only", "owner_only")
    assert instance.visible_to == instance.audience


async def test_a_personal_process_stays_its_owners_alone(product: Product) -> None:
    production = (await published(product, "v1", sharedWith="everyone"))["processInstanceId"]

    instance = await product.instance(production)
    assert (instance.shared_with, instance.visible_to) == ("owner_only", [product.tenant.users["owner"]])


async def test_users_it_is_shared_with_must_be_members(product: Product) -> None:
    configuration = product.configuration("v1", processType="organizational")
    template = (await product.deploy("v1", configuration=configuration))["templateId"]
    stranger = product.world.south.users["owner"]

    foreign = await product.publish(template, sharedWith="users", sharedWithUserIds=[stranger])
    unnamed = await product.publish(template, sharedWith="users")

    assert refusal_of(foreign) == (400, "INVALID_REQUEST")
    assert stranger in foreign.json()["error"]["message"]
    assert refusal_of(unnamed) == (400, "INVALID_REQUEST")


async def test_production_is_left_alone_when_asked(product: Product) -> None:
    first = await product.deploy("v1")
    skipped = data_of(await product.publish(first["templateId"], skipAutoCreateProdInstance=True))
    assert set(skipped) == {"processDeploymentId", "version"}
    project = await product.project()
    assert (await product.process()).prod_instance_id is None
    assert (project.deploying, project.status) == (None, "completed")

    production = (await published(product, "v2"))["processInstanceId"]
    third = await published(product, "v3", skipAutoCreateProdInstance=True)

    assert set(third) == {"processDeploymentId", "version"}
    assert product.greets(production) == ["Hello", "v2"]


async def test_an_administrator_publishes_for_a_member_of_the_organization(product: Product) -> None:
    tenant = product.tenant
    administrator = await tenant.key(kind=KeyKind.ADMIN)
    template = (await product.deploy("v1"))["templateId"]

    async def publish(user_id: str, key: str = administrator) -> tuple[int, str]:
        return refusal_of(await product.publish(template, key, userId=user_id))

    assert await publish("nobody") == (404, "USER_NOT_FOUND")
    assert await publish(product.world.south.users["owner"]) == (404, "USER_NOT_FOUND")
    assert await publish(tenant.users["admin"], tenant.keys["owner"]) == (400, "INVALID_REQUEST")
    data = data_of(await product.publish(template, administrator, userId=tenant.users["admin"]))
    assert (await product.instance(data["processInstanceId"])).user_id == tenant.users["owner"]


async def test_n8n_failing_does_not_undo_a_publish_and_a_rerun_repairs_it(product: Product) -> None:
    template = (await product.deploy("v1"))["templateId"]
    product.n8n.refuse("create", "n8n is out of order")

    data = data_of(await product.publish(template))

    production = data["processInstanceId"]
    instance = await product.instance(production)
    assert (await product.template(template)).status == "published"
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.DEPLOY_FAILED)
    deployment = await product.deployment(instance.current_deployment_instance_id)
    assert deployment.deployment_status == "failed"
    assert "out of order" in (deployment.error or "")
    assert (await product.project()).deploying is None
    again = data_of(await product.rerun(production))
    assert again["deploymentStatus"] == "deployed"
    assert (await product.instance(production)).is_active
    assert product.greets(production) == ["Hello", "v1"]


async def test_a_paused_production_gets_the_new_version_and_stays_paused(product: Product) -> None:
    production = (await published(product, "v1"))["processInstanceId"]
    await product.pause(production)

    await published(product, "v2")

    instance = await product.instance(production)
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.USER_PAUSED)
    assert instance.current_version == "1.1"
    rows = product.in_n8n(production)
    assert [row["activeVersionId"] for row in rows.values()] == [None] * 2
    assert greets(rows["beta"]["nodes"]) == ["Hello", "v2"]
    assert not (await product.endpoint(production)).is_active
    refused = await product.world.gateway.post(f"/webhook/{production}/beta", product.tenant.keys["owner"])
    assert refused.status_code == 412


@pytest.mark.usefixtures("slow_n8n")
async def test_of_a_publish_and_a_deploy_at_once_one_is_told_of_the_other(product: Product) -> None:
    template = (await product.deploy("v1"))["templateId"]

    first = asyncio.create_task(product.publish(template))
    await asyncio.sleep(0.4)
    deploy = await product.send("v2")
    second = await product.publish(template)

    assert refusal_of(deploy) == (409, "DEPLOYMENT_IN_PROGRESS")
    assert refusal_of(second) == (409, "DEPLOYMENT_IN_PROGRESS")
    assert data_of(await first)["version"] == "1.0"


async def test_of_two_publishes_at_once_one_wins(product: Product) -> None:
    template = (await product.deploy("v1"))["templateId"]

    answers = await asyncio.gather(*(product.publish(template) for _ in range(3)))

    assert sorted(answer.status_code for answer in answers)[0] == 200
    assert all(answer.status_code in (400, 409) for answer in answers if answer.status_code != 200)
    assert [answer.status_code for answer in answers].count(200) == 1


async def test_others_see_the_listing_of_what_is_published(product: Product) -> None:
    await published(product, "v1")

    await product.deploy("v2", configuration=product.configuration("v2", subtitle="Not yet for you"))

    assert (await product.process()).subtitle == "Tells its version"


async def states(product: Product, *instance_ids: str) -> list[tuple[bool, str | None]]:
    """Return whether installations are active, and why not."""
    found = [await product.instance(instance_id) for instance_id in instance_ids]
    return [(one.is_active, one.inactive_reason) for one in found]


ON, TOGGLED = (True, None), (False, InactiveReason.AUTO_TOGGLED)


async def test_with_auto_toggle_one_environment_runs_at_a_time(product: Product) -> None:
    deployed = await product.deploy("v1")
    dev = deployed["processInstanceId"]

    production = data_of(await product.publish(deployed["templateId"], autoToggleDevProd=True))[
        "processInstanceId"
    ]
    assert (await product.process()).auto_toggle_dev_prod
    assert await states(product, dev, production) == [TOGGLED, ON]
    assert [row["activeVersionId"] for row in product.in_n8n(dev).values()] == [None, None]
    refused = await product.post(f"/webhook/{dev}/beta", {})
    assert refused.status_code == 412

    await product.deploy("v2")
    assert await states(product, dev, production) == [ON, TOGGLED]
    assert product.greets(dev) == ["Hello", "v2"]

    await published(product, "v3", autoToggleDevProd=True)
    assert await states(product, dev, production) == [TOGGLED, ON]


async def test_publishing_without_the_flag_clears_it(product: Product) -> None:
    await published(product, "v1", autoToggleDevProd=True)
    production = (await published(product, "v2"))["processInstanceId"]

    assert not (await product.process()).auto_toggle_dev_prod
    dev = (await product.deploy("v3"))["processInstanceId"]
    assert await states(product, dev, production) == [ON, ON]


async def test_dev_is_not_paused_for_a_production_that_failed(product: Product) -> None:
    deployed = await product.deploy("v1")
    dev = deployed["processInstanceId"]
    product.n8n.refuse("create", "n8n is out of order")

    answer = data_of(await product.publish(deployed["templateId"], autoToggleDevProd=True))
    production = answer["processInstanceId"]
    assert await states(product, dev, production) == [ON, (False, InactiveReason.DEPLOY_FAILED)]

    data_of(await product.rerun(production))
    assert await states(product, dev, production) == [TOGGLED, ON]


async def test_a_pause_that_n8n_prevents_is_made_up_for_by_the_watchdog(product: Product) -> None:
    deployed = await product.deploy("v1")
    dev = deployed["processInstanceId"]
    product.n8n.refuse("unpublish", "n8n is out of order", status=500)

    answer = data_of(await product.publish(deployed["templateId"], autoToggleDevProd=True))
    production = answer["processInstanceId"]
    assert await states(product, production) == [ON]
    current = (await product.instance(production)).current_deployment_instance_id
    body = {"deploymentInstanceId": current}
    delivered = await product.world.deliver("resumeDeployment", body)

    assert delivered.status_code == 200, delivered.text
    assert await states(product, dev, production) == [TOGGLED, ON]
    assert (await product.deployment(current)).pauses is None


async def test_a_production_that_stays_paused_pauses_nothing(product: Product) -> None:
    first = await published(product, "v1", autoToggleDevProd=True)
    production = first["processInstanceId"]
    dev = (await product.deploy("v2"))["processInstanceId"]
    data_of(await product.rerun(production, forceRedeploy=True))

    assert await states(product, dev, production) == [ON, TOGGLED]
