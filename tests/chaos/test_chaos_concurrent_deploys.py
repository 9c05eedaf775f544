"""Deploys at the same time."""

from __future__ import annotations

import asyncio

from tests.chaos.product import Product, new_product
from tests.chaos.site import Site


async def test_of_two_deploys_of_a_project_at_once_one_wins(site: Site, product: Product) -> None:
    for round_, name in enumerate(("first", "again")):
        versions = [product.ensemble(f"{name}-{side}") for side in ("left", "right")]

        answers = await asyncio.gather(*(product.send(version) for version in versions))

        lost, won = sorted(answers, key=lambda answer: answer.is_success)
        assert (won.status_code, lost.status_code) == (200, 409), (won.text, lost.text)
        assert lost.json()["error"]["code"] == "DEPLOYMENT_IN_PROGRESS"
        assert won.json()["data"]["version"] == f"1.{round_}"
        await product.ended()
        await product.assert_runs(versions[answers.index(won)])


async def test_five_projects_deploy_at_once(site: Site) -> None:
    products = [await new_product(site) for _ in range(5)]

    for mark in ("v1", "v2"):
        versions = [product.ensemble(mark) for product in products]
        await asyncio.gather(*(p.deploy(version) for p, version in zip(products, versions, strict=True)))

        for product, version in zip(products, versions, strict=True):
            await product.assert_runs(version)
