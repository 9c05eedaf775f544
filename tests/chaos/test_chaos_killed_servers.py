"""The servers that keep documents and tasks are killed while runs are triggered."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.conftest import LARGE
from tests.chaos.figures import Tally
from tests.chaos.product import Product
from tests.chaos.site import Site
from tests.chaos.test_chaos_killed_dispatch import assert_all_ended_once
from tests.chaos.traffic import Traffic, started_traffic

ROUNDS = 5 if LARGE else 1


@pytest.mark.parametrize("server", ["firestore", "tasks"])
async def test_no_accepted_run_is_lost_when_a_server_dies(
    site: Site, product: Product, tally: Tally, server: str
) -> None:
    version = product.ensemble("v1")
    await product.deploy(version)
    runs = await started_traffic(product)

    for _ in range(ROUNDS):
        await asyncio.gather(*(delayed(runs, number * 0.03) for number in range(20)), killed(site, server))
        tally.kills[f"{server} servers"] += 1
        await runs.until_accepted("beta")

    await assert_all_ended_once(runs, tally, f"while the {server} server was killed")
    await product.assert_runs(version)
    await product.assert_next_works("v2")


async def delayed(runs: Traffic, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await runs.trigger("beta")


async def killed(site: Site, server: str) -> None:
    """Kill a server when about half of the triggers are accepted."""
    await asyncio.sleep(0.3)
    site.stack.kill(server)
