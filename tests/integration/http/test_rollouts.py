"""Rollouts: what was published reaches those who installed it (platform §10, §12)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.model.instance import InactiveReason
from shared.model.scopes import Scope
from shared.store import refs
from tests.integration.world.followers import Follower, ended, follow, numbers, progress, published
from tests.integration.world.gateway import eventually
from tests.integration.world.n8n import started
from tests.integration.world.products import SCHEMA, Json, Product, data_of, greets, refusal_of
from tests.integration.world.tenants import Tenant


@pytest.fixture
async def south(product: Product) -> Tenant:
    """An organization that installs what another one publishes, on the same n8n."""
    return await product.world.tenant_on(product.n8n)


@pytest.fixture
async def pair(product: Product, south: Tenant) -> tuple[Follower, Follower]:
    """Two installations of version 1.0 in that organization."""
    await published(product, "v1")
    return await follow(product, south, GREETING="Ahoy"), await follow(product, south, "member")


async def get(product: Product, path: str, key: str | None = None, **query: Any) -> Json:
    answer = await product.world.gateway.get(path, key or product.tenant.keys[product.user], **query)
    return data_of(answer)


async def control(product: Product, path: str, rollout_id: str) -> Json:
    return data_of(await product.post(path, {"rolloutId": rollout_id}))


async def counted(product: Product, rollout_id: str, wanted: dict[str, int]) -> None:
    """Return once the targets of a rollout are these."""
    for _ in range(100):
        if (seen := numbers(await progress(product, rollout_id))) == wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(seen)


async def test_a_publish_updates_every_installation_with_its_own_parameters(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    one, other = pair
    second = await published(product, "v2")

    rollout = await ended(product, second["rolloutId"])

    assert (rollout["version"], rollout["total"], rollout["reasons"]) == ("1.1", 2, {})
    assert numbers(rollout) == {"deployed": 2}
    assert (one.greets, other.greets) == (["Ahoy", "v2"], ["Hello", "v2"])
    for follower in pair:
        instance = await follower.instance()
        assert (instance.current_version, instance.is_active, instance.deploying) == ("1.1", True, None)
        shown = await follower.call("/getProcessInstancePublic")
        assert not {"pinned", "updateAvailable", "availableVersion"} & set(shown)


async def test_a_publish_nobody_follows_begins_no_rollout(product: Product) -> None:
    await published(product, "v1")
    second = await published(product, "v2")

    assert set(second) == {"processDeploymentId", "version", "processInstanceId"}
    assert await get(product, "/listRolloutsPublic", projectId=product.project_id) == {"rollouts": []}


async def test_a_pinned_installation_is_told_and_left_alone(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    one, other = pair
    assert (await one.call("/pinProcessInstancePublic", pinned=True))["pinned"] is True

    rollout = await ended(product, (await published(product, "v2"))["rolloutId"])

    assert numbers(rollout) == {"deployed": 1, "notified": 1}
    assert (one.greets, other.greets) == (["Ahoy", "v1"], ["Hello", "v2"])
    shown = await one.call("/getProcessInstancePublic")
    assert (shown["pinned"], shown["updateAvailable"], shown["availableVersion"]) == (True, True, "1.1")


async def test_a_paused_installation_gets_the_version_and_stays_paused(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    one, _ = pair
    await one.call("/deactivateProcessInstancePublic")

    await ended(product, (await published(product, "v2"))["rolloutId"])

    instance = await one.instance()
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.USER_PAUSED)
    assert instance.current_version == "1.1"
    assert greets(product.in_n8n(one.id)["beta"]["nodes"]) == ["Ahoy", "v2"]
    await one.call("/activateProcessInstancePublic")
    assert one.greets == ["Ahoy", "v2"]


async def test_archived_and_uninstalled_ones_are_skipped(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    one, other = pair
    await one.call("/archiveProcessInstance")
    await other.set(uninstalled_at=product.world.platform.sources.now())

    rollout = await ended(product, (await published(product, "v2"))["rolloutId"])

    assert numbers(rollout) == {"skipped": 2}
    assert (await one.instance()).current_version == (await other.instance()).current_version == "1.0"
    assert (await one.instance()).available_version == "1.1"


async def test_a_failed_update_leaves_the_version_before_running_and_says_so(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    deployed = await product.deploy("v2")
    product.n8n.refuse("publish", "the node is too new for this n8n", times=1)

    answer = await product.publish(deployed["templateId"], skipAutoCreateProdInstance=True)
    rollout = await ended(product, data_of(answer)["rolloutId"])

    assert numbers(rollout) == {"deployed": 1, "failed": 1}
    assert rollout["reasons"] == {"N8N_REFUSED": 1}
    (failure,) = rollout["failures"]
    assert failure["errorCode"] == "N8N_REFUSED"
    assert "error" not in failure
    failed = next(one for one in pair if one.id == failure["processInstanceId"])
    instance = await failed.instance()
    assert (instance.is_active, instance.current_version, instance.available_version) == (True, "1.0", "1.1")
    assert failed.greets[1] == "v1"
    deployment = await product.deployment(instance.current_deployment_instance_id)
    assert "too new" in (deployment.error or "")
    run = await product.world.gateway.post(f"/webhook/{failed.id}/beta", failed.tenant.keys["owner"])
    assert run.status_code == 200


async def test_resuming_tries_again_what_failed(product: Product, pair: tuple[Follower, Follower]) -> None:
    deployed = await product.deploy("v2")
    product.n8n.refuse("publish", "not now", times=1)
    answer = await product.publish(deployed["templateId"], skipAutoCreateProdInstance=True)
    rollout_id = data_of(answer)["rolloutId"]
    assert numbers(await ended(product, rollout_id)) == {"deployed": 1, "failed": 1}

    assert (await control(product, "/resumeRolloutPublic", rollout_id))["status"] == "planning"

    assert numbers(await ended(product, rollout_id)) == {"deployed": 2}
    assert [one.greets[1] for one in pair] == ["v2", "v2"]
    assert [(await one.instance()).available_version for one in pair] == [None, None]


async def test_a_required_parameter_without_a_value_fails_before_n8n_is_touched(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    one, other = pair
    schema = [*SCHEMA, {"type": "string", "key": "CITY", "label": "City", "required": True}]
    configuration = product.configuration("v2", deploymentInputSchema=schema)
    second = await product.deploy("v2", configuration=configuration)
    before = len(product.n8n.asked)

    answer = await product.publish(second["templateId"], skipAutoCreateProdInstance=True)
    rollout = await ended(product, data_of(answer)["rolloutId"])

    assert rollout["reasons"] == {"MISSING_PARAMETERS": 2}
    touched = {action for action, _ in product.n8n.asked[before:]}
    assert touched <= {"list"}
    assert (one.greets, other.greets) == (["Ahoy", "v1"], ["Hello", "v1"])
    refused = await product.post(
        "/updateProcessInstancePublic", {"processInstanceId": one.id}, one.tenant.keys["owner"]
    )
    assert refusal_of(refused) == (400, "MISSING_PARAMETERS")
    done = await one.call("/updateProcessInstancePublic", deploymentParameters={"CITY": "Oslo"})
    assert (done["deploymentStatus"], done["version"], one.greets) == ("deployed", "1.1", ["Ahoy", "v2"])
    assert (await one.instance()).deployment_parameters["CITY"] == "Oslo"


async def test_an_installation_somebody_works_on_is_updated_later(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    one, _ = pair
    soon = product.world.platform.sources.now() + timedelta(seconds=3)
    await one.set(deploying="somebody", deploying_until=soon)

    second = await published(product, "v2")
    rollout = await ended(product, second["rolloutId"])

    assert numbers(rollout) == {"deployed": 2}
    assert one.greets == ["Ahoy", "v2"]


async def test_a_task_that_is_delivered_again_and_again_updates_once(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    one, _ = pair
    rollout_id = (await published(product, "v2"))["rolloutId"]
    body = {"rolloutId": rollout_id, "processInstanceId": one.id}

    answers = await asyncio.gather(
        *(product.world.deliver("updateInstallation", body) for _ in range(8)),
        product.world.deliver("planRollout", {"rolloutId": rollout_id, "attempt": 1}),
    )

    assert {answer.status_code for answer in answers} <= {200, 503}
    assert numbers(await ended(product, rollout_id)) == {"deployed": 2}
    first = await one.instance()
    late = await product.world.deliver("updateInstallation", body)
    assert late.status_code == 200
    assert await one.instance() == first
    log = await get(
        product, "/listAuditEvents", one.tenant.keys["owner"], action="instance.updated", limit=100
    )
    assert len([event for event in log["events"] if event["target"] == one.id]) == 1


async def test_a_newer_publish_takes_over_and_nothing_goes_back(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    second, third = await product.deploy("v2"), await product.deploy("v3")
    later = product.world.platform.sources.now() + timedelta(seconds=60)
    for one in pair:
        await one.set(deploying="somebody", deploying_until=later)

    async def publish(version: Json) -> str:
        answer = await product.publish(version["templateId"], skipAutoCreateProdInstance=True)
        return str(data_of(answer)["rolloutId"])

    first_rollout = await publish(second)
    await counted(product, first_rollout, {"pending": 2})
    second_rollout = await publish(third)
    for one in pair:
        await one.set(deploying=None, deploying_until=None)

    assert numbers(await ended(product, second_rollout)) == {"deployed": 2}
    assert (await progress(product, first_rollout))["status"] == "superseded"
    late = [
        await product.world.deliver(
            "updateInstallation", {"rolloutId": first_rollout, "processInstanceId": one.id}
        )
        for one in pair
    ]
    assert [answer.status_code for answer in late] == [200, 200]
    assert [one.greets[1] for one in pair] == ["v3", "v3"]
    statuses = {(await one.target(first_rollout)).status.value for one in pair}
    assert statuses <= {"cancelled", "deployed"}
    listed = (await get(product, "/listRolloutsPublic", projectId=product.project_id))["rollouts"]
    assert [row["rolloutId"] for row in listed] == [second_rollout, first_rollout]
    refused = await product.post("/resumeRolloutPublic", {"rolloutId": first_rollout})
    assert refusal_of(refused) == (409, "ROLLOUT_SUPERSEDED")


async def test_a_cancelled_rollout_begins_nothing_and_can_be_resumed(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    second = await product.deploy("v2")
    for one in pair:
        later = product.world.platform.sources.now() + timedelta(seconds=60)
        await one.set(deploying="somebody", deploying_until=later)
    answer = await product.publish(second["templateId"], skipAutoCreateProdInstance=True)
    rollout_id = data_of(answer)["rolloutId"]
    await counted(product, rollout_id, {"pending": 2})

    assert await control(product, "/cancelRolloutPublic", rollout_id) == {
        "rolloutId": rollout_id,
        "status": "cancelled",
    }
    assert (await control(product, "/cancelRolloutPublic", rollout_id))["status"] == "cancelled"
    for one in pair:
        await one.set(deploying=None, deploying_until=None)
    await counted(product, rollout_id, {"cancelled": 2})
    assert (await progress(product, rollout_id))["status"] == "cancelled"
    assert [one.greets[1] for one in pair] == ["v1", "v1"]

    await control(product, "/resumeRolloutPublic", rollout_id)
    assert numbers(await ended(product, rollout_id)) == {"deployed": 2}
    assert [one.greets[1] for one in pair] == ["v2", "v2"]
    refused = await product.post("/cancelRolloutPublic", {"rolloutId": rollout_id})
    assert refusal_of(refused) == (409, "ROLLOUT_ENDED")


async def test_updates_wait_for_an_n8n_that_is_down(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    second = await product.deploy("v2")
    await product.n8n.go_down()
    try:
        answer = await product.publish(second["templateId"], skipAutoCreateProdInstance=True)
        rollout_id = data_of(answer)["rolloutId"]
        await asyncio.sleep(3)
        assert numbers(await progress(product, rollout_id)) == {"pending": 2}
    finally:
        await product.n8n.come_up()

    assert numbers(await ended(product, rollout_id)) == {"deployed": 2}
    assert [one.greets[1] for one in pair] == ["v2", "v2"]


async def test_publishers_see_no_message_of_another_organization_and_strangers_nothing(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    insider = await follow(product, product.tenant, "member")
    second = await product.deploy("v2")
    product.n8n.refuse("publish", "a message with secrets", times=3)
    answer = await product.publish(second["templateId"], skipAutoCreateProdInstance=True)
    rollout_id = data_of(answer)["rolloutId"]
    rollout = await ended(product, rollout_id)

    failed = await get(product, "/listRolloutTargetsPublic", rolloutId=rollout_id, status="failed")

    rows = {row["processInstanceId"]: row for row in failed["targets"]}
    assert set(rows) == {one.id for one in (*pair, insider)}
    assert "secrets" in rows[insider.id]["error"]
    assert [rows[one.id].get("error") for one in pair] == [None, None]
    assert len([row for row in rollout["failures"] if "secrets" in str(row)]) == 1
    for one in pair:
        assert one.tenant.organization_id not in str(rollout) + str(failed)
    stranger = one.tenant.keys["owner"]
    for path in ("/getRolloutPublic", "/listRolloutTargetsPublic"):
        refused = await product.world.gateway.get(path, stranger, rolloutId=rollout_id)
        assert refusal_of(refused) == (403, "FORBIDDEN")
    scopeless = await product.tenant.key(scopes=(Scope.PROJECTS_READ,))
    stopped = await product.post("/cancelRolloutPublic", {"rolloutId": rollout_id}, scopeless)
    assert refusal_of(stopped)[0] == 403
    unknown = await product.world.gateway.get(
        "/getRolloutPublic", product.tenant.keys["owner"], rolloutId="nothing"
    )
    assert refusal_of(unknown) == (404, "ROLLOUT_NOT_FOUND")


async def test_targets_come_in_pages(product: Product, pair: tuple[Follower, Follower]) -> None:
    rollout_id = (await published(product, "v2"))["rolloutId"]
    await ended(product, rollout_id)

    first = await get(product, "/listRolloutTargetsPublic", rolloutId=rollout_id, limit=1)
    second = await get(
        product, "/listRolloutTargetsPublic", rolloutId=rollout_id, limit=1, cursor=first["next"]
    )

    seen = [row["processInstanceId"] for page in (first, second) for row in page["targets"]]
    assert seen == sorted(one.id for one in pair)
    assert "next" not in second
    assert set(first["targets"][0]) == {
        "processInstanceId",
        "status",
        "fromVersion",
        "startedAt",
        "endedAt",
    }


async def test_a_run_that_goes_on_ends_on_the_version_it_began_with(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    one, _ = pair
    gateway, key = product.world.gateway, one.tenant.keys["owner"]
    target = (await product.endpoint(one.id)).target
    assert target is not None
    webhook = target.url.partition("/webhook/")[2]
    product.n8n.behave(webhook, started)
    run_id = await gateway.trigger(f"{one.id}/beta", key)
    (call,) = await eventually(lambda: product.n8n.calls_of(webhook))

    rollout = await ended(product, (await published(product, "v2"))["rolloutId"])

    assert numbers(rollout) == {"deployed": 2}
    assert one.greets == ["Ahoy", "v2"]
    assert (await gateway.status(one.id, run_id, key))["status"] == "pending"
    proof = {name: call.metadata[name] for name in ("executionId", "executionSecret")}
    await gateway.callback("submitWorkflowResult", {**proof, "resultData": {"said": "Ahoy"}})
    assert (await gateway.status(one.id, run_id, key))["status"] == "success"
    run = await product.world.platform.store.get(refs.execution(one.id, run_id))
    assert run is not None
    assert run.value.template_version == "1.0"


async def test_an_update_costs_eight_round_trips_and_the_version_is_read_once(
    product: Product, pair: tuple[Follower, Follower]
) -> None:
    rollout_id = (await published(product, "v2"))["rolloutId"]
    await ended(product, rollout_id)

    lines = [
        line
        for line in product.world.gateway.lines()
        if line["message"].startswith("updateInstallation") and line.get("outcome") == "deployed"
    ]
    costs = sorted(line["firestore"]["roundTrips"] for line in lines[-2:])
    # Three commits come on top, and one read tells whether anybody wants to be told of its end. Whoever is
    # first reads the version for all; its content is known already.
    assert costs == [5, 6]
