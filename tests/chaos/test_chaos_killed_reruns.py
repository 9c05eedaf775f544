"""The process that makes n8n again what was deployed is killed; another one ends what it began.

Before each kill somebody edited, switched off and deleted workflows in n8n. ``CHAOS_SEED`` chooses the points
of the small size.
"""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from dataclasses import dataclass

import httpx
import pytest

from shared.model.deployment import DeploymentInstance, DeploymentStatus
from tests.chaos.conftest import sized
from tests.chaos.ensemble import Ensemble, Json
from tests.chaos.figures import Tally
from tests.chaos.meddling import delete, leave_orphan, meddle, occupy
from tests.chaos.product import Product
from tests.chaos.site import Site
from tests.chaos.traffic import traffic

BOTH = (
    "deploy.started",
    "deploy.one_created",
    "deploy.created",
    "deploy.one_saved:2",
    "deploy.staged",
    "deploy.held",
    "deploy.drained",
    "deploy.one_published:3",
    "deploy.level_published",
    "deploy.published",
    "deploy.live",
    "deploy.before_commit",
    "deploy.recorded",
)
"""Points of either."""

UNRECORDED = ("deploy.booked", "repair.booked")
"""Points at which nothing is written yet: whoever called has to call again."""

CASES = [
    *(("rerun", point) for point in ("deploy.booked", "deploy.recorded_pending", *BOTH)),
    *(("repair", point) for point in ("repair.booked", "repair.recorded", *BOTH)),
]
_CHOICE = random.Random(int(os.environ.get("CHAOS_SEED", "1")))
FEW = [*_CHOICE.sample(CASES[:15], 2), *_CHOICE.sample(CASES[15:], 2)]
UNDONE = ("rerun", "repair")


@dataclass(frozen=True, slots=True)
class Mender:
    """One of the two calls that make n8n what was deployed, for one installation."""

    product: Product
    instance_id: str
    name: str

    async def send(self) -> httpx.Response:
        site, named = self.product.site, {"processInstanceId": self.instance_id}
        if self.name == "rerun":
            forced = {**named, "forceRedeploy": True}
            return await site.call("POST", "/redeployDeploymentInstancePublic", forced)
        return await site.call("POST", "/repairInstanceDriftPublic", named)

    async def mend(self) -> None:
        """Call it, to its end."""
        answer = await self.send()
        assert answer.status_code == 200, answer.text
        data: Json = answer.json()["data"]
        if data["deploymentStatus"] == "pending":
            data["deploymentStatus"] = (await self.product.ended()).deployment_status.value
        assert data["deploymentStatus"] == "deployed", data

    async def drift(self) -> Json:
        """Return what is otherwise in n8n than recorded: findings by workflow, and orphans."""
        named = {"processInstanceId": self.instance_id}
        answer = await self.product.site.call("GET", "/checkInstanceDriftPublic", params=named)
        assert answer.status_code == 200, answer.text
        data = answer.json()["data"]
        codes = {w["workflowId"]: [f["code"] for f in w["findings"]] for w in data["workflows"]}
        found: Json = {name: found for name, found in codes.items() if found}
        return found | ({"orphans": len(data["orphans"])} if data["orphans"] else {})

    async def killed_at(self, point: str) -> DeploymentInstance:
        """Call it, have the gateway die at the point, and return the deployment that another worker ended."""
        site = self.product.site
        site.arm(point)
        with suppress(httpx.TransportError):
            answer = await self.send()
            raise AssertionError(f"{point} was never reached: {answer.text}")
        assert not site.armed, f"{point} was never reached"
        await site.gateway_up()
        return await self.product.ended()

    async def assert_mended(self, version: Ensemble) -> None:
        """Check that n8n is as recorded, stays so when it is called again, and that the version runs."""
        assert await self.drift() == {}
        await self.product.assert_runs(version)
        await self.mend()
        assert await self.drift() == {}
        await self.product.assert_runs(version)


async def deployed(product: Product, name: str, version: Ensemble) -> Mender:
    await product.deploy(version)
    return Mender(product, await product.instance_id() or "", name)


@pytest.mark.parametrize(("name", "point"), sized(CASES, *FEW))
async def test_what_was_meddled_with_is_mended_by_another_worker_and_no_run_is_mixed(
    product: Product, tally: Tally, name: str, point: str
) -> None:
    version = product.ensemble("v1")
    mender = await deployed(product, name, version)
    await meddle(product)
    orphan = {"orphans": 1} if name == "repair" else {}
    if orphan:
        await leave_orphan(product)
    before = await mender.drift()
    assert before.keys() == {*version.names, *orphan}

    async with traffic(product) as runs:
        ended = await mender.killed_at(point)
        after = await mender.drift()
        if after:  # What nobody recorded is for whoever looks next, as is a call that came to nothing.
            await mender.mend()
        await asyncio.sleep(1)  # runs of what is live now
    figures = await runs.settled()

    tally.kills[f"{name}s"] += 1
    tally.add(f"while {name}s were killed", figures)
    tally.outcomes[f"{name}s mended{' when repeated' if after.keys() - orphan.keys() else ''}"] += 1
    assert ended.deployment_status is DeploymentStatus.DEPLOYED, ended.error
    assert after == (before if point in UNRECORDED else orphan)
    assert (figures.lost, figures.doubled, figures.mixed) == (0, 0, 0), figures
    assert figures.succeeded > 0
    await mender.assert_mended(version)


@pytest.mark.parametrize("name", sized(UNDONE, _CHOICE.choice(UNDONE)))
async def test_what_cannot_be_mended_is_undone_by_another_worker_and_mended_later(
    site: Site, product: Product, tally: Tally, name: str
) -> None:
    version = product.ensemble("v1")
    mender = await deployed(product, name, version)
    (beta,) = [row.n8n_workflow_id or "" for row in await product.rows() if row.workflow_id == "beta"]
    nodes = (await site.n8n.get_workflow(beta)).nodes
    (parameters,) = [node["parameters"] for node in nodes if node["name"] == "Webhook"]
    assert isinstance(parameters, dict)
    await delete(site, beta)
    foreign = await occupy(site, str(parameters["path"]))

    ended = await mender.killed_at("restore.put_back")

    tally.kills[f"{name}s"] += 1
    tally.outcomes[f"{name}s undone"] += 1
    assert ended.deployment_status is DeploymentStatus.FAILED
    assert "conflict" in (ended.error or ""), ended.error
    assert await mender.drift() == {"beta": ["missing"]}
    assert len(await product.in_n8n()) == len(version.names) - 1
    await delete(site, foreign)
    await mender.mend()
    await mender.assert_mended(version)
