"""Workers of a rollout die, and tasks get lost: every installation ends up updated all the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.model.rollout import RolloutStatus
from tests.integration.world.followers import (
    Follower,
    behind,
    by_hand,
    ended,
    follow,
    numbers,
    progress,
    published,
)
from tests.integration.world.gateway import Gateway
from tests.integration.world.products import Product
from tests.integration.world.tenants import Tenant


@pytest.fixture
async def south(product: Product) -> Tenant:
    """An organization that installs what another one publishes, on the same n8n."""
    return await product.world.tenant_on(product.n8n)


@pytest.fixture
async def follower(product: Product, south: Tenant) -> Follower:
    """An installation of 1.0 there that 1.1 has not reached."""
    await published(product, "v1")
    one = await follow(product, south, GREETING="Ahoy")
    await behind(product, one)
    return one


async def dying_at(product: Product, folder: Path, point: str) -> Gateway:
    """A gateway that dies at a fault point; what it books is delivered to the one that lives."""
    order = folder / "kill-at"
    order.write_text(point)
    return await product.world.another_gateway(
        f"dying-{folder.name}",
        PODIUM_KILL_FILE=str(order),
        DEPLOY_LEASE_SECONDS="1",
        TASKS_BASE_URL=product.world.gateway.base_url,
    )


async def die(product: Product, dying: Gateway, endpoint: str, body: dict[str, Any]) -> None:
    token = product.world.task_token(product.world.gateway)
    with pytest.raises(httpx.TransportError):
        await dying.http.post(f"/{endpoint}", json=body, headers={"Authorization": f"Bearer {token}"})


async def delivered(product: Product, endpoint: str, body: dict[str, Any]) -> None:
    """Deliver a task until it ends, as the queue does."""
    for _ in range(60):
        answer = await product.world.deliver(endpoint, body)
        if answer.status_code == 200:
            return
        await asyncio.sleep(0.3)
    raise AssertionError(answer.text)


@pytest.mark.parametrize(
    "point",
    [
        "rollout.update_begun",
        "deploy.started",
        "deploy.one_saved",
        "deploy.held",
        "deploy.level_published",
        "deploy.before_commit",
        "deploy.recorded",
    ],
)
async def test_an_update_whose_worker_died_is_ended_by_the_next_delivery(
    product: Product, follower: Follower, tmp_path: Path, point: str
) -> None:
    rollout_id = await by_hand(product, follower)
    body = {"rolloutId": rollout_id, "processInstanceId": follower.id}

    await die(product, await dying_at(product, tmp_path, point), "updateInstallation", body)
    await delivered(product, "updateInstallation", body)

    target = await follower.target(rollout_id)
    assert (target.status, target.from_version) == ("deployed", "1.0")
    assert follower.greets == ["Ahoy", "v2"]
    instance = await follower.instance()
    assert (instance.is_active, instance.deploying, instance.available_version) == (True, None, None)
    assert len(product.in_n8n(follower.id)) == 2


@pytest.mark.parametrize("point", ["rollout.page_recorded", "rollout.updates_booked"])
async def test_a_plan_whose_worker_died_is_ended_by_the_next_delivery(
    product: Product, follower: Follower, tmp_path: Path, point: str
) -> None:
    rollout_id = await by_hand(product, status=RolloutStatus.PLANNING)
    body = {"rolloutId": rollout_id, "attempt": 1}

    await die(product, await dying_at(product, tmp_path, point), "planRollout", body)
    await delivered(product, "planRollout", body)

    assert numbers(await ended(product, rollout_id)) == {"deployed": 1}
    assert follower.greets == ["Ahoy", "v2"]


async def test_a_rollout_that_died_before_it_was_recorded_leaves_a_task_that_finds_nothing(
    product: Product, follower: Follower, tmp_path: Path
) -> None:
    template = (await product.deploy("v3"))["templateId"]
    dying = await dying_at(product, tmp_path, "deploy.booked")
    body = {"projectId": product.project_id, "processDeploymentId": template}
    with pytest.raises(httpx.TransportError):
        await dying.post("/publishProcessDeploymentPublic", product.tenant.keys["owner"], body)

    assert (await product.template(template)).status == "inactive"
    answer = (await product.publish(template)).json()["data"]
    assert numbers(await ended(product, answer["rolloutId"])) == {"deployed": 1}


async def test_a_publish_that_died_right_after_its_commit_reaches_everybody(
    product: Product, follower: Follower, tmp_path: Path
) -> None:
    template = (await product.deploy("v3"))["templateId"]
    dying = await dying_at(product, tmp_path, "deploy.recorded_pending")
    body = {"projectId": product.project_id, "processDeploymentId": template}
    with pytest.raises(httpx.TransportError):
        await dying.post("/publishProcessDeploymentPublic", product.tenant.keys["owner"], body)

    rollout_id = (await product.process()).rollout_id
    assert rollout_id is not None
    assert numbers(await ended(product, rollout_id)) == {"deployed": 1}
    assert follower.greets == ["Ahoy", "v3"]


async def test_lost_tasks_are_made_up_for_when_nothing_moves(product: Product, follower: Follower) -> None:
    rollout_id = await by_hand(product, follower)

    await delivered(product, "closeRollout", {"rolloutId": rollout_id, "attempt": 1, "turn": 0, "left": 1})

    assert numbers(await ended(product, rollout_id, within=60)) == {"deployed": 1}
    assert follower.greets == ["Ahoy", "v2"]


async def test_lost_tasks_are_made_up_for_by_a_resumption(product: Product, follower: Follower) -> None:
    rollout_id = await by_hand(product, follower)
    assert numbers(await progress(product, rollout_id)) == {"pending": 1}

    await product.post("/resumeRolloutPublic", {"rolloutId": rollout_id})

    assert numbers(await ended(product, rollout_id)) == {"deployed": 1}


async def test_what_was_installed_while_others_were_looked_for_is_updated_before_the_end(
    product: Product, follower: Follower
) -> None:
    rollout_id = await by_hand(product)

    await delivered(product, "closeRollout", {"rolloutId": rollout_id, "attempt": 1, "turn": 0})

    assert numbers(await ended(product, rollout_id)) == {"deployed": 1}
    assert follower.greets == ["Ahoy", "v2"]


async def test_what_a_version_drops_is_removed_though_n8n_refused_at_first(
    product: Product, south: Tenant
) -> None:
    four = product.configuration("v1", ("leaf-b", "beta", "leaf-c", "gamma"))
    await published(product, "v1", configuration=four)
    one = await follow(product, south)
    assert len(product.n8n.named(one.id)) == 4
    second = await product.deploy("v2")
    product.n8n.refuse("delete", "n8n is out of order", status=500, times=1)

    answer = await product.publish(second["templateId"], skipAutoCreateProdInstance=True)
    await ended(product, answer.json()["data"]["rolloutId"])

    for _ in range(100):
        if len(product.n8n.named(one.id)) == 2:
            break
        await asyncio.sleep(0.2)
    assert set(product.in_n8n(one.id)) == {"leaf-b", "beta"}
