"""Deploying an installation's version again (api §5.11)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.model.apikey import KeyKind
from shared.model.audit import AuditEvent
from shared.model.deployment import DeploymentStatus
from shared.model.instance import InactiveReason, SharedWith
from shared.model.scopes import Scope
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Patch
from tests.integration.world.products import Json, Product, data_of, greets, refusal_of


async def deployed(product: Product) -> Json:
    return await product.deploy("v1")


async def failed(product: Product) -> Json:
    """Deploy for the first time, and have n8n refuse it."""
    product.n8n.refuse("create", "n8n is out of order")
    data = await product.deploy("v1")
    assert data["deploymentStatus"] == "failed"
    return data


async def test_a_failed_deployment_is_run_again_and_its_installation_becomes_active(product: Product) -> None:
    first = await failed(product)

    data = data_of(await product.rerun(first["processInstanceId"]))

    n8n = product.in_n8n(first["processInstanceId"])
    assert data == {
        "deploymentStatus": "deployed",
        "deploymentInstanceId": first["deploymentInstanceId"],
        "n8nWorkflowIds": [n8n["leaf-b"]["id"], n8n["beta"]["id"]],
    }
    instance = await product.instance(first["processInstanceId"])
    assert (instance.is_active, instance.inactive_reason) == (True, None)
    project = await product.project()
    assert project.current_deployment is not None
    assert project.current_deployment.version == "1.0"


async def test_without_force_only_a_failed_deployment_is_run_again(product: Product) -> None:
    data = await deployed(product)

    answer = await product.rerun(data["processInstanceId"])

    assert refusal_of(answer) == (409, "NOT_IN_FAILED_STATE")
    assert "not in failed state" in answer.json()["error"]["message"]


async def test_with_force_the_same_version_gets_other_parameters_in_place(product: Product) -> None:
    first = await deployed(product)
    before = product.ids_in_n8n(first["processInstanceId"])

    data = data_of(
        await product.rerun(
            first["processInstanceId"], deploymentParameters={"GREETING": "Ahoy"}, forceRedeploy=True
        )
    )

    assert data["deploymentStatus"] == "deployed"
    assert set(data["n8nWorkflowIds"]) == before
    assert product.greets(first["processInstanceId"]) == ["Ahoy", "v1"]
    instance = await product.instance(first["processInstanceId"])
    assert instance.deployment_parameters == {"GREETING": "Ahoy", "COUNT": 3}
    assert (instance.current_version, instance.deploying) == ("1.0", None)


async def test_parameters_that_are_not_mentioned_are_kept(product: Product) -> None:
    instance_id = (await deployed(product))["processInstanceId"]
    for parameters in ({"GREETING": "Ahoy"}, {"COUNT": 8}, {}):
        data_of(await product.rerun(instance_id, deploymentParameters=parameters, forceRedeploy=True))

    assert (await product.instance(instance_id)).deployment_parameters == {"GREETING": "Ahoy", "COUNT": 8}


async def test_texts_become_the_declared_type_and_null_goes_back_to_the_default(product: Product) -> None:
    instance_id = (await deployed(product))["processInstanceId"]
    texts = {"COUNT": "12", "DAYS": '["mon", "tue"]'}

    data_of(await product.rerun(instance_id, deploymentParameters=texts, forceRedeploy=True))
    stored = (await product.instance(instance_id)).deployment_parameters
    assert stored == {"GREETING": "Hello", "COUNT": 12, "DAYS": ["mon", "tue"]}

    data_of(await product.rerun(instance_id, deploymentParameters={"DAYS": None}, forceRedeploy=True))
    assert "DAYS" not in (await product.instance(instance_id)).deployment_parameters


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"UNKNOWN": "x"}, ["deploymentParameters.UNKNOWN"]),
        ({"COUNT": "many"}, ["deploymentParameters.COUNT"]),
        ({"COUNT": 0, "DAYS": ["sun"]}, ["deploymentParameters.COUNT", "deploymentParameters.DAYS[0]"]),
        ({"GREETING": ""}, ["deploymentParameters.GREETING"]),
    ],
)
async def test_parameters_that_do_not_fit_are_refused_by_name_and_nothing_changes(
    product: Product, parameters: dict[str, Any], named: list[str]
) -> None:
    instance_id = (await deployed(product))["processInstanceId"]
    before = await product.instance(instance_id)

    answer = await product.rerun(instance_id, deploymentParameters=parameters, forceRedeploy=True)

    assert refusal_of(answer) == (400, "INVALID_REQUEST")
    assert all(name in answer.json()["error"]["message"] for name in named)
    assert await product.instance(instance_id) == before


async def test_a_required_parameter_nobody_gave_is_asked_for(product: Product) -> None:
    configuration = product.configuration("v1", defaultDeploymentParameters={})
    data = await product.deploy("v1", configuration=configuration)
    assert data["deploymentStatus"] == "failed"
    assert "GREETING" in data["error"]

    again = await product.rerun(data["processInstanceId"])
    given = await product.rerun(data["processInstanceId"], deploymentParameters={"GREETING": "Servus"})

    assert refusal_of(again) == (400, "INVALID_REQUEST")
    assert "deploymentParameters.GREETING" in again.json()["error"]["message"]
    assert data_of(given)["deploymentStatus"] == "deployed"
    assert product.greets(data["processInstanceId"]) == ["Servus", "v1"]


async def test_a_rerun_that_fails_is_an_answer_and_what_ran_goes_on(product: Product) -> None:
    first = await deployed(product)
    product.n8n.refuse("publish", "n8n is out of order")

    data = data_of(
        await product.rerun(
            first["processInstanceId"], deploymentParameters={"GREETING": "Ahoy"}, forceRedeploy=True
        )
    )

    assert (data["deploymentStatus"], data["deploymentInstanceId"]) == (
        "failed",
        first["deploymentInstanceId"],
    )
    assert "out of order" in data["error"]
    assert len(data["n8nWorkflowIds"]) == 2
    assert product.greets(first["processInstanceId"]) == ["Hello", "v1"]
    instance = await product.instance(first["processInstanceId"])
    assert (instance.is_active, instance.deploying) == (True, None)
    again = data_of(await product.rerun(first["processInstanceId"]))
    assert again["deploymentStatus"] == "deployed"
    assert product.greets(first["processInstanceId"]) == ["Ahoy", "v1"]


async def test_a_rerun_that_still_lacks_integrations_says_which(product: Product) -> None:
    configuration = product.configuration("v1", integrationUids=["google_slides"])
    instance_id = (await product.deploy("v1", configuration=configuration))["processInstanceId"]

    data = data_of(await product.rerun(instance_id))

    assert (data["deploymentStatus"], data["n8nWorkflowIds"]) == ("failed", [])
    assert "google_slides" in data["error"]
    assert (await product.instance(instance_id)).inactive_reason == InactiveReason.MISSING_INTEGRATION


async def test_a_forced_rerun_repairs_what_somebody_changed_in_n8n(product: Product) -> None:
    first = await deployed(product)
    instance_id = first["processInstanceId"]
    rows = product.in_n8n(instance_id)
    leaf, beta = rows["leaf-b"]["id"], rows["beta"]["id"]
    product.n8n.edit(beta, [], published=False)
    del product.n8n.kept[leaf]

    data = data_of(await product.rerun(instance_id, forceRedeploy=True))

    assert data["deploymentStatus"] == "deployed"
    repaired = product.in_n8n(instance_id)
    assert repaired["beta"]["id"] == beta
    assert repaired["leaf-b"]["id"] != leaf
    assert product.greets(instance_id) == ["Hello", "v1"]


async def test_a_forced_rerun_that_finds_nothing_changed_publishes_nothing(product: Product) -> None:
    instance_id = (await deployed(product))["processInstanceId"]
    before = len(product.n8n.asked)

    data_of(await product.rerun(instance_id, forceRedeploy=True))

    assert {action for action, _ in product.n8n.asked[before:]} == {"read"}


async def test_a_paused_installation_is_changed_and_stays_paused(product: Product) -> None:
    instance_id = (await deployed(product))["processInstanceId"]
    await product.pause(instance_id)

    data = data_of(
        await product.rerun(instance_id, deploymentParameters={"GREETING": "Ahoy"}, forceRedeploy=True)
    )

    assert data["deploymentStatus"] == "deployed"
    instance = await product.instance(instance_id)
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.USER_PAUSED)
    beta = product.in_n8n(instance_id)["beta"]
    assert beta["activeVersionId"] is None
    assert greets(beta["nodes"]) == ["Ahoy", "v1"]
    live = await product.deployment(instance.live_deployment_instance_id or "")
    (row,) = [row for row in live.workflows if row.workflow_id == "beta"]
    assert (row.n8n_version_id, row.n8n_workflow_is_active) == (beta["versionId"], False)


async def test_a_failed_rerun_of_a_paused_installation_publishes_nothing(product: Product) -> None:
    instance_id = (await deployed(product))["processInstanceId"]
    await product.pause(instance_id)
    product.n8n.refuse("unpublish", "n8n is out of order")

    data = data_of(
        await product.rerun(instance_id, deploymentParameters={"GREETING": "Ahoy"}, forceRedeploy=True)
    )

    assert data["deploymentStatus"] == "failed"
    instance = await product.instance(instance_id)
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.USER_PAUSED)
    for row in product.in_n8n(instance_id).values():
        assert row["activeVersionId"] is None
        assert "Ahoy" not in str(row["nodes"])


async def test_a_deploy_switches_a_paused_installation_on(product: Product) -> None:
    instance_id = (await deployed(product))["processInstanceId"]
    await product.pause(instance_id)

    await product.deploy("v2")

    assert (await product.instance(instance_id)).is_active
    assert product.greets(instance_id) == ["Hello", "v2"]


@pytest.mark.usefixtures("slow_n8n")
async def test_a_rerun_during_a_deployment_is_refused_even_with_force(product: Product) -> None:
    instance_id = (await deployed(product))["processInstanceId"]

    running = asyncio.create_task(product.send("v2"))
    await asyncio.sleep(0.4)
    answer = await product.rerun(instance_id, forceRedeploy=True)

    assert refusal_of(answer) == (409, "DEPLOYMENT_IN_PROGRESS")
    assert data_of(await running)["deploymentStatus"] == "deployed"


@pytest.mark.usefixtures("slow_n8n")
async def test_a_deploy_during_a_rerun_is_refused(product: Product) -> None:
    instance_id = (await deployed(product))["processInstanceId"]

    running = asyncio.create_task(
        product.rerun(instance_id, deploymentParameters={"GREETING": "Ahoy"}, forceRedeploy=True)
    )
    await asyncio.sleep(0.3)
    deployment = await product.deployment(
        (await product.instance(instance_id)).current_deployment_instance_id
    )
    answer = await product.send("v2")

    assert deployment.deployment_status is DeploymentStatus.UPDATING
    assert refusal_of(answer) == (409, "DEPLOYMENT_IN_PROGRESS")
    assert data_of(await running)["deploymentStatus"] == "deployed"


async def test_a_deployment_that_is_stuck_is_taken_over_with_force(product: Product) -> None:
    first = await failed(product)
    platform = product.world.platform
    long_ago = platform.sources.now() - timedelta(minutes=1)
    stuck = {"deployment_status": DeploymentStatus.DEPLOYING, "completed_at": None}
    held = {"deploying": first["deploymentInstanceId"], "deploying_until": long_ago}
    await platform.store.commit(
        Patch(refs.deployment(first["deploymentInstanceId"]), stuck),
        Patch(refs.instance(first["processInstanceId"]), held),
    )

    unforced = await product.rerun(first["processInstanceId"])
    forced = await product.rerun(first["processInstanceId"], forceRedeploy=True)

    assert refusal_of(unforced) == (409, "DEPLOYMENT_IN_PROGRESS")
    assert data_of(forced)["deploymentStatus"] == "deployed"
    assert product.greets(first["processInstanceId"]) == ["Hello", "v1"]


async def test_an_archived_installation_is_not_run_again(product: Product) -> None:
    instance_id = (await deployed(product))["processInstanceId"]
    await product.world.platform.store.commit(Patch(refs.instance(instance_id), {"archived": True}))

    answer = await product.rerun(instance_id, forceRedeploy=True)

    assert refusal_of(answer) == (409, "INSTANCE_ARCHIVED")


async def test_whoever_may_use_an_installation_may_run_it_again_and_nobody_else(product: Product) -> None:
    instance_id = (await failed(product))["processInstanceId"]
    north, south = product.tenant, product.world.south
    scopeless = await north.key(scopes=(Scope.INSTANCES_MANAGE,))

    for key in (north.keys["member"], south.keys["owner"], scopeless):
        assert (await product.rerun(instance_id, key)).status_code == 403
    foreign = await product.rerun(instance_id, south.keys["owner"])
    assert "access to this process instance" in foreign.json()["error"]["message"]
    assert refusal_of(await product.rerun("nothing")) == (404, "INSTANCE_NOT_FOUND")

    shared = {"shared_with": SharedWith.USERS, "shared_with_user_ids": [north.users["member"]]}
    await product.world.platform.store.commit(Patch(refs.instance(instance_id), shared))
    assert data_of(await product.rerun(instance_id, north.keys["member"]))["deploymentStatus"] == "deployed"
    administrator = await north.key(kind=KeyKind.ADMIN)
    forced = await product.rerun(instance_id, administrator, forceRedeploy=True)
    assert data_of(forced)["deploymentStatus"] == "deployed"


async def test_the_audit_log_tells_who_ran_what_again_without_the_values(product: Product) -> None:
    instance_id = (await deployed(product))["processInstanceId"]
    given = {"GREETING": "my secret greeting"}
    data_of(await product.rerun(instance_id, deploymentParameters=given, forceRedeploy=True))

    organization = refs.organization(product.tenant.organization_id)
    events = below(organization, "auditEvents", AuditEvent).where("target", "==", instance_id)
    (event,) = [found.value for found in await find(product.world.platform.store, events)]

    assert (event.action, event.actor_user_id) == ("instance.redeployed", product.tenant.users["owner"])
    assert event.details == {"version": "1.0", "forced": True, "parameters": ["GREETING"]}
