"""The process that sends runs into n8n is killed while it does so: none is lost, none runs twice."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.chaos.conftest import LARGE, sized
from tests.chaos.figures import Tally
from tests.chaos.product import Product
from tests.chaos.site import Site, eventually
from tests.chaos.traffic import Traffic, started_traffic

POINTS = (
    "dispatch.before_claim",
    "dispatch.claimed",
    "dispatch.sent",
    "dispatch.claimed:3",
    "dispatch.sent:3",
)


@pytest.mark.parametrize("point", sized(POINTS, "dispatch.claimed", "dispatch.sent:3"))
async def test_runs_end_once_when_the_worker_dies_while_sending_one(
    site: Site, product: Product, tally: Tally, point: str
) -> None:
    await product.deploy(product.ensemble("v1"))
    runs = await started_traffic(product)

    site.arm(point)
    await asyncio.gather(*(runs.trigger("alpha") for _ in range(5)))

    async def reached() -> bool:
        return not site.armed

    await eventually(reached, what=point)
    await site.gateway_up()
    tally.kills["dispatches"] += 1
    await assert_all_ended_once(runs, tally, "while dispatches were killed")


async def test_runs_end_once_when_the_gateway_dies_again_and_again(
    site: Site, product: Product, tally: Tally
) -> None:
    await product.deploy(product.ensemble("v1"))
    runs = await started_traffic(product)
    kills, seed = (50, 20261122) if LARGE else (3, 1)
    moments = random.Random(seed)

    for _ in range(kills):
        await asyncio.gather(*(burst(runs, 5) for _ in range(6)), after(moments.uniform(0, 1.5), site))
        tally.kills["gateways at random"] += 1
        await site.gateway_up()

    await assert_all_ended_once(runs, tally, "while gateways were killed at random")


async def burst(runs: Traffic, count: int) -> None:
    for _ in range(count):
        await runs.trigger("beta")


async def after(seconds: float, site: Site) -> None:
    await asyncio.sleep(seconds)
    site.stack.kill("gateway")


async def assert_all_ended_once(runs: Traffic, tally: Tally, when: str) -> None:
    figures = await runs.settled()
    tally.add(when, figures)
    assert figures.accepted > 0
    assert (figures.lost, figures.doubled, figures.mixed) == (0, 0, 0), figures
