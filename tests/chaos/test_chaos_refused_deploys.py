"""n8n takes the drafts of a deploy and refuses to publish one of them."""

from __future__ import annotations

from typing import Any

import httpx

from shared.n8n.liveness import MARKER_NAME
from tests.chaos.ensemble import FOUR, SIX, unknown_node, webhook_on
from tests.chaos.meddling import occupy
from tests.chaos.product import Product
from tests.chaos.site import Site

SETTINGS = {
    "alpha": {"timezone": "Europe/Paris", "executionTimeout": 60},
    "leaf-b": {"timezone": "Asia/Tokyo"},
}


async def test_a_redeploy_that_n8n_refuses_leaves_everything_as_it_was(product: Product) -> None:
    before = product.ensemble("v1", settings={"beta": {"timezone": "America/Lima"}})
    await product.deploy(before)
    seen = await contents(product)

    answer = await product.send(
        product.ensemble("v2", names=SIX, settings=SETTINGS, extra={"beta": (unknown_node(),)})
    )

    assert_refused(answer, "Unrecognized node type")
    assert await contents(product) == seen
    await product.assert_runs(before)
    await product.assert_next_works("v3")


async def test_a_redeploy_whose_webhook_path_is_taken_leaves_everything_as_it_was(
    site: Site, product: Product
) -> None:
    before = product.ensemble("v1")
    await product.deploy(before)
    project, instance_id = await product.project(), await product.instance_id()
    foreign = await occupy(site, f"{project.process_id}/{instance_id}/taken")
    try:
        answer = await product.send(product.ensemble("v2", extra={"beta": (webhook_on("taken"),)}))

        assert_refused(answer, "conflict with one of the webhooks")
        await product.assert_runs(before)
    finally:
        await site.n8n.unpublish(foreign)
        await site.n8n.delete_workflow(foreign)
    await product.assert_next_works("v3")


async def test_a_first_deploy_that_n8n_refuses_leaves_nothing(product: Product) -> None:
    answer = await product.send(product.ensemble("v1", extra={"beta": (unknown_node(),)}))

    assert_refused(answer, "Unrecognized node type")
    await product.assert_failed_without_a_trace()
    await product.assert_next_works("v2")


async def test_workflows_and_settings_that_a_version_drops_are_gone(product: Product) -> None:
    await product.deploy(product.ensemble("v1", names=SIX, settings=SETTINGS))

    await product.deploy(product.ensemble("v2", names=FOUR))

    await product.assert_runs(product.ensemble("v2", names=FOUR))
    for workflow in (await product.in_n8n()).values():
        assert not workflow["settings"].keys() & {"timezone", "executionTimeout"}, workflow["name"]


def assert_refused(answer: httpx.Response, words: str) -> None:
    data = answer.json()["data"]
    assert (answer.status_code, data["deploymentStatus"]) == (200, "failed"), data
    assert words in data["error"]


async def contents(product: Product) -> dict[str, Any]:
    """Return what each workflow in n8n consists of: its settings, its draft and what is live."""
    return {
        name: {
            "id": workflow["id"],
            "settings": workflow["settings"],
            "draft": own_nodes(workflow),
            "live": own_nodes(workflow["activeVersion"]),
        }
        for name, workflow in (await product.in_n8n()).items()
    }


def own_nodes(version: dict[str, Any]) -> list[Any]:
    """Return the nodes of a version without the one that tells the platform that it is live."""
    return [node for node in version["nodes"] if node["name"] != MARKER_NAME]
