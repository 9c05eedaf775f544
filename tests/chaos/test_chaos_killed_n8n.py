"""n8n is killed: when a run is triggered, while runs go on, before and in the middle of a deploy."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx
import pytest

from shared.model.deployment import DeploymentStatus
from tests.chaos.conftest import sized
from tests.chaos.ensemble import SIX, Ensemble
from tests.chaos.figures import Tally
from tests.chaos.product import Product
from tests.chaos.site import Site, eventually
from tests.chaos.test_chaos_killed_dispatch import assert_all_ended_once
from tests.chaos.traffic import started_traffic


async def test_runs_triggered_while_n8n_is_down_run_once_when_it_is_back(
    site: Site, product: Product, tally: Tally
) -> None:
    await product.deploy(product.ensemble("v1"))
    runs = await started_traffic(product)

    kill_n8n(site, tally)
    await asyncio.gather(*(runs.trigger("alpha") for _ in range(5)))
    assert len(runs.accepted) == 5
    await site.n8n_up()

    figures = await runs.settled()
    tally.add("while n8n was down", figures)
    assert (figures.succeeded, figures.doubled) == (5, 0), figures


async def test_runs_that_go_on_when_n8n_dies_end_once(site: Site, product: Product, tally: Tally) -> None:
    await product.deploy(product.ensemble("v1"))
    runs = await started_traffic(product)

    await asyncio.gather(*(runs.trigger(parent) for parent in ("alpha", "beta") * 8))
    kill_n8n(site, tally)
    await site.n8n_up()

    await assert_all_ended_once(runs, tally, "while n8n was killed")


async def test_a_first_deploy_without_n8n_fails_and_leaves_nothing(
    site: Site, product: Product, tally: Tally
) -> None:
    kill_n8n(site, tally)
    answer = await product.send(product.ensemble("v1"))

    assert_failed_for_n8n(answer)
    await site.n8n_up()
    await settled(product)
    await product.assert_failed_without_a_trace()
    await product.assert_next_works("v2")


async def test_a_redeploy_without_n8n_fails_and_the_old_version_goes_on(
    site: Site, product: Product, tally: Tally
) -> None:
    before = product.ensemble("v1")
    await product.deploy(before)
    kill_n8n(site, tally)
    answer = await product.send(product.ensemble("v2", names=SIX))

    assert_failed_for_n8n(answer)
    await site.n8n_up()
    await settled(product)
    await product.assert_runs(before)
    await product.assert_next_works("v3")


@pytest.mark.parametrize(
    "point",
    sized(
        ("deploy.staged", "deploy.held", "deploy.one_set_up", "deploy.level_published"),
        "deploy.level_published",
    ),
)
async def test_a_redeploy_that_loses_gateway_and_n8n_at_once_ends_unmixed(
    site: Site, product: Product, tally: Tally, point: str
) -> None:
    settings = {"alpha": {"timezone": "Europe/Paris"}}
    before, after = product.ensemble("v1"), product.ensemble("v2", names=SIX, settings=settings)
    await product.deploy(before)
    runs = await started_traffic(product)

    site.arm(point)
    with suppress(httpx.TransportError):
        await product.send(after)
    kill_n8n(site, tally)
    assert not site.armed, f"{point} was never reached"
    await site.gateway_up()
    await asyncio.gather(*(runs.trigger(parent) for parent in ("alpha", "beta") * 3))
    await site.n8n_up()

    await assert_live_is(product, before, after)
    await assert_all_ended_once(runs, tally, "while gateway and n8n were killed in a redeploy")
    await product.assert_next_works("v3")


@pytest.mark.parametrize("seconds", sized((0.1, 0.2, 0.3, 0.4, 0.6, 0.8), 0.3))
async def test_a_redeploy_in_which_n8n_dies_ends_unmixed(
    site: Site, product: Product, tally: Tally, seconds: float
) -> None:
    before, after = product.ensemble("v1"), product.ensemble("v2", names=SIX)
    await product.deploy(before)

    deploying = asyncio.create_task(product.send(after))
    await asyncio.sleep(seconds)
    kill_n8n(site, tally)
    await deploying
    await site.n8n_up()

    await assert_live_is(product, before, after)
    await product.assert_next_works("v3")


def kill_n8n(site: Site, tally: Tally) -> None:
    site.stack.kill("n8n")
    tally.kills["n8n"] += 1


def assert_failed_for_n8n(answer: httpx.Response) -> None:
    data = answer.json()["data"]
    assert (answer.status_code, data["deploymentStatus"]) == (200, "failed"), data
    assert "n8n" in data["error"]


async def settled(product: Product) -> None:
    """Return once nothing of a failed deployment waits to be undone in n8n."""

    async def look() -> bool:
        instance = await product.instance()
        return instance is not None and instance.unsettled_deployment_instance_id is None

    await eventually(look, 90, what="the end of undoing")


async def assert_live_is(product: Product, before: Ensemble, after: Ensemble) -> None:
    """Check that n8n runs the one or the other, as the platform says."""
    ended = await product.ended(180)
    await settled(product)
    deployed = ended.deployment_status is DeploymentStatus.DEPLOYED and ended.version == "1.1"
    assert deployed or ended.error
    await product.assert_runs(after if deployed else before)
