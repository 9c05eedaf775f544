"""The process that switches or archives installations is killed; n8n and the record agree afterwards."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import httpx
import pytest

from shared.model.instance import ProcessInstance
from shared.store import refs
from tests.chaos.conftest import sized
from tests.chaos.figures import Tally
from tests.chaos.product import Product
from tests.chaos.site import Site, eventually

PATHS = {
    "activate": "activateProcessInstancePublic",
    "deactivate": "deactivateProcessInstancePublic",
    "archive": "archiveProcessInstance",
}
OFF = ("switch.recorded", "switch.level_unpublished", "switch.level_unpublished:2", "switch.unpublished")
ON = ("switch.begun", "switch.level_published", "switch.level_published:2", "switch.published")
CASES = [("activate", at) for at in ON] + [(name, at) for name in ("deactivate", "archive") for at in OFF]
FEW = (
    ("activate", "switch.level_published", False),
    ("deactivate", "switch.level_unpublished", True),
    ("archive", "switch.recorded", False),
)
"""With whether it is called again; else it is left to its task."""


@dataclass(frozen=True, slots=True)
class Killed:
    """An installation in the middle of a switch."""

    product: Product
    instance_id: str

    async def call(self, name: str) -> httpx.Response:
        body = {"processInstanceId": self.instance_id}
        return await self.product.site.call("POST", f"/{PATHS[name]}", body)

    async def instance(self) -> ProcessInstance:
        found = await self.product.site.platform.store.get(refs.instance(self.instance_id))
        assert found is not None
        return found.value

    async def running(self) -> set[bool]:
        """Return whether n8n has each of the workflows published."""
        return {
            workflow["activeVersionId"] is not None for workflow in (await self.product.in_n8n()).values()
        }

    async def settled(self) -> bool:
        instance = await self.instance()
        return not instance.switching and instance.deploying is None


async def kill(site: Site, product: Product, name: str, at: str) -> Killed:
    """Have the gateway die in the middle of a switch of an installation that was deployed for it."""
    await product.deploy(product.ensemble("v1"))
    killed = Killed(product, await product.instance_id() or "")
    if name == "activate":
        assert (await killed.call("deactivate")).status_code == 200
    site.arm(at)
    with suppress(httpx.TransportError):
        answer = await killed.call(name)
        raise AssertionError(f"{at} was never reached: {answer.text}")
    assert not site.armed, f"{at} was never reached"
    await site.gateway_up()
    return killed


@pytest.mark.parametrize(
    ("name", "at", "repeats"), sized([(*case, repeats) for case in CASES for repeats in (False, True)], *FEW)
)
async def test_n8n_and_the_record_agree_after_a_switch_was_killed(
    site: Site, product: Product, tally: Tally, name: str, at: str, repeats: bool
) -> None:
    killed = await kill(site, product, name, at)
    tally.kills["switches"] += 1
    assert not (await killed.instance()).is_active

    async def completed() -> bool:
        return (await killed.call(name)).status_code == 200 if repeats else await killed.settled()

    await eventually(completed, 90, pause=0.5, what=f"the end of {name} after {at}")
    instance, on = await killed.instance(), repeats and name == "activate"
    assert (instance.is_active, instance.switching, instance.deploying) == (on, False, None)
    assert instance.archived is (name == "archive")
    assert await killed.running() == {on}
    assert (await killed.call(name)).status_code == 200
    if name == "archive":
        body = {"processInstanceId": killed.instance_id}
        assert (await site.call("POST", "/unarchiveProcessInstance", body)).status_code == 200
    assert (await killed.call("activate")).status_code == 200
    await product.assert_runs(product.ensemble("v1"))
    tally.outcomes["switches completed"] += 1
