"""Whatever is done to an installation, in whatever order: it stands where the tables say (decision 0019)."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping

import httpx
import pytest

from shared.model.deployment import Purpose
from shared.model.instance import ProcessInstance
from shared.model.instance_events import Event, Outcome, after, ended
from tests.integration.world.integrations import connected
from tests.integration.world.products import Json, Product

STEPS = 25
SEEDS = (11, 23, 42)
OPENAI: Json = {"integrationId": "openai", "contextType": "organization", "confirmDeletion": True}
Fields = dict[str, object]


class Walk:
    """One installation, and what may be done to it."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.id = ""
        self.connected = False

    async def deploy(self) -> httpx.Response:
        needs: Json = {"integrationUids": ["openai"]} if self.id else {}
        answer = await self.product.send("v", configuration=self.product.configuration("v", **needs))
        self.id = self.id or answer.json()["data"]["processInstanceId"]
        return answer

    async def deploy_badly(self) -> httpx.Response:
        self.product.n8n.refuse("publish", "n8n is out of order")
        answer = await self.product.send("w")
        self.product.n8n.forgive()
        return answer

    async def rerun(self) -> httpx.Response:
        return await self.product.rerun(self.id, forceRedeploy=True)

    async def rerun_badly(self) -> httpx.Response:
        self.product.n8n.refuse("publish", "n8n is out of order")
        answer = await self.rerun()
        self.product.n8n.forgive()
        return answer

    async def connect(self) -> httpx.Response:
        key = self.product.tenant.keys["owner"]
        await connected(self.product.world, "openai", {"OPENAI_API_KEY": "sk"}, key=key)
        self.connected = True
        return httpx.Response(200)

    async def delete(self) -> httpx.Response:
        self.connected = False
        return await self.product.post("/deleteIntegrationPublic", OPENAI)

    async def named(self, endpoint: str) -> httpx.Response:
        return await self.product.post(f"/{endpoint}", {"processInstanceId": self.id})

    def actions(self) -> Mapping[str, Callable[[], Awaitable[httpx.Response]]]:
        return {
            "deploy": self.deploy,
            "deploy badly": self.deploy_badly,
            "rerun": self.rerun,
            "rerun badly": self.rerun_badly,
            "connect": self.connect,
            "delete": self.delete,
            "activate": lambda: self.named("activateProcessInstancePublic"),
            "pause": lambda: self.named("deactivateProcessInstancePublic"),
            "archive": lambda: self.named("archiveProcessInstance"),
            "unarchive": lambda: self.named("unarchiveProcessInstance"),
        }


def expected(name: str, before: ProcessInstance, answer: httpx.Response) -> Fields:
    """Return the fields the tables give for an action that was answered like that."""
    data = answer.json()["data"] if answer.content else {}
    match name:
        case "connect":
            return {}
        case "delete":
            return after(Event.INTEGRATION_LOST, before) if data.get("deactivatedCount") else {}
        case "pause" | "archive" | "unarchive":
            events = {"pause": Event.PAUSED, "archive": Event.ARCHIVED, "unarchive": Event.UNARCHIVED}
            return after(events[name], before)
        case "activate":
            return {"is_active": True, "inactive_reason": None}
        case _:
            purpose = Purpose.RERUN if name.startswith("rerun") else Purpose.DEPLOY
            return ended(purpose, _outcome(data), before)


def _outcome(data: Json) -> Outcome:
    if data["deploymentStatus"] == "deployed":
        return Outcome.DEPLOYED
    return Outcome.LACKING if "Connect these integrations" in data["error"] else Outcome.FAILED


async def assert_consistent(walk: Walk, instance: ProcessInstance) -> None:
    """Check that n8n runs what the documents say, and that a reason is given exactly while it is off."""
    product, on = walk.product, instance.is_active
    assert not (on and instance.archived)
    assert (instance.inactive_reason is None) is on
    assert (instance.deploying, instance.switching) == (None, False)
    live = {name for name, row in product.in_n8n(walk.id).items() if row["activeVersionId"]}
    assert live == ({"beta", "leaf-b"} if on else set())
    if instance.live_deployment_instance_id is not None:
        assert (await product.endpoint(walk.id)).is_active is on


@pytest.mark.parametrize("seed", SEEDS)
async def test_an_installation_stands_where_the_tables_say_whatever_is_done_to_it(
    product: Product, seed: int
) -> None:
    chosen, walk = random.Random(seed), Walk(product)
    await walk.deploy()
    path: list[str] = []

    for _ in range(STEPS):
        before = await product.instance(walk.id)
        name = chosen.choice(list(walk.actions()))
        answer = await walk.actions()[name]()
        path.append(f"{name}: {answer.status_code}")
        now = await product.instance(walk.id)

        changes = expected(name, before, answer) if answer.status_code == 200 else None
        if changes is None:
            assert answer.status_code in (400, 409), (path, answer.text)
            # A rerun within an activation may have failed; what is off stays off.
            assert now.is_active is before.is_active, path
            assert now.archived is before.archived, path
        else:
            assert {k: getattr(now, k) for k in changes} == changes, path
        await assert_consistent(walk, now)
