"""A deploy that takes longer than a request may take goes on in a task."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.chaos.conftest import sized
from tests.chaos.product import Product
from tests.chaos.site import Site, eventually
from tests.support.ports import free_port
from tests.support.stack import ROOT


@pytest.mark.parametrize("seconds", sized((0.05, 0.1, 0.2, 0.3, 0.4, 0.6), 0.2))
async def test_a_deploy_past_the_answer_limit_is_pending_and_ends_all_the_same(
    site: Site, product: Product, seconds: float
) -> None:
    async with impatient_gateway(site, seconds) as base_url:
        for version in (product.ensemble("v1"), product.ensemble("v2")):
            answer = await product.send(version, base_url)

            assert answer.status_code == 200, answer.text
            assert answer.json()["data"]["deploymentStatus"] in ("pending", "deployed")
            ended = await product.ended()
            assert ended.deployment_status == "deployed"
            await product.assert_runs(version)


async def test_a_deploy_past_the_answer_limit_says_so(site: Site, product: Product) -> None:
    async with impatient_gateway(site, 0.01) as base_url:
        answer = await product.send(product.ensemble("v1"), base_url)

    assert answer.json()["data"]["deploymentStatus"] == "pending"
    await product.ended()
    await product.assert_runs(product.ensemble("v1"))


@asynccontextmanager
async def impatient_gateway(site: Site, seconds: float) -> AsyncIterator[str]:
    """Run a second gateway on the same servers that answers early; its tasks go to the first."""
    port = free_port()
    environment = {
        **os.environ,
        **site.stack.environment(),
        "DEPLOY_ANSWER_AFTER_SECONDS": str(seconds),
        "DEPLOY_LEASE_SECONDS": "3",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.local.gateway", "--port", str(port)),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
    )
    base_url = f"http://127.0.0.1:{port}"

    async def healthy() -> bool:
        try:
            return (await site.http.get(f"{base_url}/healthz")).status_code == 200
        except httpx.TransportError:
            return False

    try:
        await eventually(healthy)
        yield base_url
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)
