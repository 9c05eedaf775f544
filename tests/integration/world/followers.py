"""Installations of a published process by others, as installing makes them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from shared.model.deployment import Purpose
from shared.model.instance import Environment, ProcessInstance
from shared.model.listing import Installation
from shared.model.rollout import Rollout, RolloutStatus, Target
from shared.services.deployments.begin import Order, begin
from shared.services.deployments.carry import carry
from shared.services.deployments.installation import Place
from shared.services.deployments.work import load_tenant
from shared.services.rollouts.version import version_of
from shared.store import refs
from shared.store.store import Create, Delete, Patch
from tests.integration.world.products import Json, Product, data_of
from tests.integration.world.tenants import Tenant


@dataclass(frozen=True, slots=True)
class Follower:
    """One installation of a product in another organization."""

    product: Product = field(repr=False)
    tenant: Tenant
    id: str

    async def instance(self) -> ProcessInstance:
        return await self.product.instance(self.id)

    async def call(self, path: str, **body: Any) -> Json:
        """Call an endpoint about it as its owner."""
        sent = {"processInstanceId": self.id, **body}
        return data_of(await self.product.post(path, sent, self.tenant.keys["owner"]))

    async def set(self, **fields: object) -> None:
        """Change its document."""
        await self.product.world.platform.store.commit(Patch(refs.instance(self.id), fields))

    async def target(self, rollout_id: str) -> Target:
        found = await self.product.world.platform.store.get(refs.rollout_target(rollout_id, self.id))
        assert found is not None
        return found.value

    @property
    def greets(self) -> list[str]:
        """What its live workflow greets with, and the mark of its version."""
        return self.product.greets(self.id)


async def follow(product: Product, tenant: Tenant, user: str = "owner", **parameters: object) -> Follower:
    """Install what a product has published for a user of an organization on the product's n8n."""
    platform, process, project = product.world.platform, await product.process(), await product.project()
    assert process.published_template_id is not None
    assert project.process_id is not None
    instance_id, user_id = platform.sources.uuid7(), tenant.users[user]
    place = Place(instance_id, project.process_id, product.project_id, user_id, Environment.PROD)
    order = Order(
        deployment_id=platform.sources.auto_id(),
        purpose=Purpose.INSTALL,
        version=await version_of(platform, process.published_template_id),
        place=place,
        tenant=await load_tenant(platform, tenant.organization_id, user_id),
        started_by=user_id,
        now=platform.sources.now(),
        parameters=parameters,
    )
    claim = Installation(
        organization_id=tenant.organization_id,
        process_id=project.process_id,
        process_instance_id=instance_id,
        user_id=user_id,
    )
    beginning = await begin(platform, order, None, None)
    claiming = Create(refs.installation(project.process_id, instance_id), claim)
    at, *_ = await platform.store.commit(*beginning.writes, claiming)
    carried = await carry(platform, beginning.work, beginning.held(platform, at))
    assert carried.status == "deployed", carried.error
    return Follower(product, tenant, instance_id)


async def published(product: Product, mark: str, **body: Any) -> Json:
    """Deploy a version and publish it; return the answer to the publish."""
    deployed = await product.deploy(mark, **body)
    return data_of(await product.publish(deployed["templateId"]))


async def progress(product: Product, rollout_id: str) -> Json:
    """How far a rollout is."""
    key = product.tenant.keys[product.user]
    answer = await product.world.gateway.http.get(
        "/getRolloutPublic", params={"rolloutId": rollout_id}, headers={"X-API-Key": key}
    )
    return data_of(answer)


async def ended(product: Product, rollout_id: str, within: float = 30, status: str = "completed") -> Json:
    """How a rollout ended."""
    until = time.monotonic() + within
    while (now := await progress(product, rollout_id))["status"] != status:
        assert time.monotonic() < until, now
        await asyncio.sleep(0.2)
    return now


def numbers(rollout: Json) -> dict[str, int]:
    """The targets of a rollout by status, without those there are none of."""
    return {status: number for status, number in rollout["counts"].items() if number}


async def by_hand(product: Product, *chosen: Follower, status: RolloutStatus = RolloutStatus.RUNNING) -> str:
    """Write a rollout of what is published with targets that no task was booked for; return its id."""
    platform, process, project = product.world.platform, await product.process(), await product.project()
    rollout_id, now = platform.sources.auto_id(), platform.sources.now()
    rollout = Rollout(
        organization_id=process.organization_id,
        process_id=project.process_id or "",
        project_id=product.project_id,
        template_id=process.published_template_id or "",
        version=process.published_version or "",
        number=process.rollout_number + 1,
        status=status,
        production_instance_id=process.prod_instance_id,
        started_by=process.owner_id,
        created_at=now,
    )
    newest = {"rollout_id": rollout_id, "rollout_number": rollout.number}
    targets = [
        Target(
            organization_id=one.tenant.organization_id,
            process_instance_id=one.id,
            backend_id=str(product.n8n.port),
        )
        for one in chosen
    ]
    await platform.store.commit(
        Create(refs.rollout(rollout_id), rollout),
        Patch(refs.process(rollout.process_id), newest),
        *(Create(refs.rollout_target(rollout_id, one.process_instance_id), one) for one in targets),
    )
    return rollout_id


async def behind(product: Product, *chosen: Follower) -> None:
    """Publish a version that reached none of these installations."""
    claims = [refs.installation((await product.project()).process_id or "", one.id) for one in chosen]
    found = await product.world.platform.store.fetch(*claims)
    await product.world.platform.store.commit(*(Delete(claim) for claim in claims))
    await published(product, "v2")
    await product.world.platform.store.commit(*(Create(one.ref, one.value) for one in found if one))
