"""Every action on an installation in every state it can be in: answers, and what n8n runs afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.integration.world.products import Json, Product, data_of, refusal_of

Preparing = Callable[[Product], Awaitable[str]]


async def call(product: Product, name: str, instance_id: str) -> httpx.Response:
    return await product.post(f"/{name}", {"processInstanceId": instance_id})


async def active(product: Product) -> str:
    data: Json = await product.deploy("v1")
    return str(data["processInstanceId"])


async def paused(product: Product) -> str:
    instance_id = await active(product)
    await product.pause(instance_id)
    return instance_id


async def never_deployed(product: Product) -> str:
    product.n8n.refuse("create", "n8n is out of order")
    data = await product.deploy("v1")
    product.n8n.forgive()
    return str(data["processInstanceId"])


async def active_after_a_failed_update(product: Product) -> str:
    instance_id = await active(product)
    product.n8n.refuse("publish", "n8n is out of order")
    assert (await product.deploy("v2"))["deploymentStatus"] == "failed"
    product.n8n.forgive()
    return instance_id


async def paused_after_a_failed_update(product: Product) -> str:
    instance_id = await active_after_a_failed_update(product)
    await product.pause(instance_id)
    return instance_id


async def archived(product: Product) -> str:
    instance_id = await active(product)
    data_of(await call(product, "archiveProcessInstance", instance_id))
    return instance_id


STATES: list[Preparing] = [
    active,
    paused,
    never_deployed,
    active_after_a_failed_update,
    paused_after_a_failed_update,
    archived,
]

ANSWERS: dict[str, tuple[int | str, ...]] = {
    # in the order of STATES: whether n8n runs it afterwards, or the code of the refusal
    "activateProcessInstancePublic": (
        True,
        True,
        "DEPLOYMENT_FAILED",
        True,
        "DEPLOYMENT_FAILED",
        "INSTANCE_ARCHIVED",
    ),
    "deactivateProcessInstancePublic": (False, False, False, False, False, False),
    "archiveProcessInstance": (False, False, False, False, False, False),
    "unarchiveProcessInstance": (True, False, False, True, False, False),
}


@pytest.mark.parametrize("action", ANSWERS)
@pytest.mark.parametrize("place", range(len(STATES)), ids=[state.__name__ for state in STATES])
async def test_every_action_in_every_state_is_answered_and_n8n_agrees_with_the_documents(
    product: Product, place: int, action: str
) -> None:
    instance_id = await STATES[place](product)
    before = (await product.instance(instance_id)).is_active
    expected = ANSWERS[action][place]

    answer = await call(product, action, instance_id)

    if isinstance(expected, str):
        assert answer.status_code in (400, 409)
        assert answer.json()["error"]["code"] == expected
        expected = before
    else:
        assert answer.status_code == 200, answer.text
    await agrees(product, instance_id, bool(expected))


async def test_an_installation_goes_through_everything_and_runs_what_was_deployed_last(
    product: Product,
) -> None:
    instance_id = await active(product)
    assert product.greets(instance_id) == ["Hello", "v1"]

    await product.pause(instance_id)
    await agrees(product, instance_id, False)
    data_of(await call(product, "activateProcessInstancePublic", instance_id))
    assert product.greets(instance_id) == ["Hello", "v1"]
    await product.pause(instance_id)
    await product.deploy("v2")
    data_of(await call(product, "activateProcessInstancePublic", instance_id))
    await agrees(product, instance_id, True)
    assert product.greets(instance_id) == ["Hello", "v2"]
    data_of(await call(product, "archiveProcessInstance", instance_id))
    data_of(await call(product, "unarchiveProcessInstance", instance_id))
    await agrees(product, instance_id, False)
    data_of(await call(product, "activateProcessInstancePublic", instance_id))
    assert product.greets(instance_id) == ["Hello", "v2"]


async def test_parameters_changed_while_an_installation_is_paused_are_used_when_it_is_activated(
    product: Product,
) -> None:
    instance_id = await paused(product)

    data_of(await product.rerun(instance_id, deploymentParameters={"GREETING": "Salut"}, forceRedeploy=True))
    await agrees(product, instance_id, False)
    data_of(await call(product, "activateProcessInstancePublic", instance_id))

    await agrees(product, instance_id, True)
    assert product.greets(instance_id) == ["Salut", "v1"]


async def test_nothing_is_deployed_to_an_archived_installation_where_it_would_run_unseen(
    product: Product,
) -> None:
    instance_id = await archived(product)

    answer = await product.send("v2")

    assert refusal_of(answer) == (409, "INSTANCE_ARCHIVED")
    await agrees(product, instance_id, False)
    data_of(await call(product, "unarchiveProcessInstance", instance_id))
    await product.deploy("v2")
    await agrees(product, instance_id, True)


async def test_a_version_published_to_an_archived_installation_stays_off(product: Product) -> None:
    first = await product.deploy("v1")
    prod = data_of(await product.publish(first["templateId"]))["processInstanceId"]
    await product.pause(prod)
    data_of(await call(product, "archiveProcessInstance", prod))

    second = await product.deploy("v2")
    data_of(await product.publish(second["templateId"]))

    await agrees(product, prod, False)
    assert (await product.instance(prod)).archived


async def test_what_was_deployed_is_shown_in_three_round_trips(product: Product) -> None:
    instance_id = await active(product)

    body = {"processInstanceId": instance_id, "includeWorkflowDetails": True}
    answer = await product.post("/getProcessInstancePublic", body)

    deployment = data_of(answer)["deployment"]
    assert deployment["deploymentParameters"] == {"GREETING": "Hello", "COUNT": 3}
    assert [field["key"] for field in deployment["deploymentInputSchema"]] == ["GREETING", "COUNT", "DAYS"]
    kinds = {entry["workflowId"]: entry["triggers"][0]["type"] for entry in deployment["workflows"]}
    assert kinds == {"beta": "http", "leaf-b": "subworkflow"}
    assert product.world.gateway.line_of(answer)["firestore"]["roundTrips"] == 3


async def agrees(product: Product, instance_id: str, runs: bool) -> None:
    """Assert that documents, endpoints and n8n say the same."""
    instance = await product.instance(instance_id)
    assert (instance.is_active, instance.switching, instance.deploying) == (runs, False, None)
    published = product.n8n.published(instance_id)
    assert len(published) == (2 if runs else 0)
    if instance.live_deployment_instance_id is not None:
        assert (await product.endpoint(instance_id)).is_active is runs
        deployment = await product.deployment(instance.live_deployment_instance_id)
        assert {row.n8n_workflow_is_active for row in deployment.workflows} == {runs}
