"""The process that deploys is killed at every point of a deploy; another one must end what it began."""

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
from tests.chaos.site import Site
from tests.chaos.traffic import traffic

FIRST = (
    "deploy.booked",
    "deploy.recorded_pending",
    "deploy.started",
    "deploy.one_created:1",
    "deploy.one_created:2",
    "deploy.created",
    "deploy.one_saved",
    "deploy.staged",
    "deploy.one_published:1",
    "deploy.one_published:3",
    "deploy.level_published",
    "deploy.published",
    "deploy.live",
    "deploy.before_commit",
    "deploy.recorded",
)
"""Points of a first deploy."""

AGAIN = (*FIRST, "deploy.one_saved:3", "deploy.held", "deploy.drained", "deploy.one_set_up")
"""Points of a deploy over a version that is live."""

SETTINGS = {"alpha": {"timezone": "Europe/Paris"}, "beta": {"executionTimeout": 60}}


async def killed_at(site: Site, product: Product, point: str, version: Ensemble) -> None:
    """Deploy, and have the gateway die at the point."""
    site.arm(point)
    with suppress(httpx.TransportError):
        answer = await product.send(version)
        raise AssertionError(f"{point} was never reached: {answer.text}")
    assert not site.armed, f"{point} was never reached"
    await site.gateway_up()


@pytest.mark.parametrize("point", sized(FIRST, "deploy.booked", "deploy.one_created:2", "deploy.published"))
async def test_a_first_deploy_is_ended_by_another_worker(
    site: Site, product: Product, tally: Tally, point: str
) -> None:
    version = product.ensemble("v1")

    await killed_at(site, product, point, version)

    tally.kills["first deploys"] += 1
    if point == "deploy.booked":
        assert await product.deployment() is None
        await product.assert_nothing_in_n8n()
    elif (await product.ended()).deployment_status is DeploymentStatus.DEPLOYED:
        tally.outcomes["first deploys deployed"] += 1
        await product.assert_runs(version)
    else:
        tally.outcomes["first deploys failed"] += 1
        await product.assert_failed_without_a_trace()
    await product.assert_next_works("v2")


@pytest.mark.parametrize(
    "point",
    sized(AGAIN, "deploy.one_created:1", "deploy.held", "deploy.level_published", "deploy.before_commit"),
)
async def test_a_redeploy_is_ended_by_another_worker_and_no_run_is_mixed(
    site: Site, product: Product, tally: Tally, point: str
) -> None:
    before, after = product.ensemble("v1"), product.ensemble("v2", names=SIX, settings=SETTINGS)
    await product.deploy(before)

    async with traffic(product) as runs:
        await killed_at(site, product, point, after)
        ended = await product.ended()
        await asyncio.sleep(1)  # runs of what is live now
    figures = await runs.settled()

    tally.kills["redeploys"] += 1
    tally.add("while redeploys were killed", figures)
    deployed = ended.version == "1.1" and ended.deployment_status is DeploymentStatus.DEPLOYED
    tally.outcomes[f"redeploys {'deployed' if deployed else 'undone'}"] += 1
    assert (figures.lost, figures.doubled, figures.mixed) == (0, 0, 0), figures
    assert figures.succeeded > 0
    assert deployed or ended.error or point == "deploy.booked"
    await product.assert_runs(after if deployed else before)
    await product.assert_next_works("v3")
