"""Every organization's runs wait in a lane of their own, so a flood delays only itself (decision 0025)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
import pytest
from aiohttp import web
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport

from shared.model.apikey import KeyKind
from shared.services.runs.lanes import book, lane_of
from shared.services.runs.queues import DISPATCH, dispatch_task
from shared.tasks.spec import QueueSettings
from tests.integration.runs.test_dispatching import dispatch_body
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import Behaviour, Call, ScriptedN8n, hangs, reporting
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World

FLOOD = 200


@dataclass(slots=True)
class AtOnce:
    """A workflow that takes a while and reports, and how many of its runs went on at the same time."""

    seconds: float
    now: int = 0
    most: int = 0
    runs: list[str] = field(default_factory=list)

    async def __call__(self, call: Call) -> web.StreamResponse:
        self.now += 1
        self.most = max(self.most, self.now)
        self.runs.append(call.execution_id)
        await asyncio.sleep(self.seconds)
        # Its report ends a run; what n8n does after that is no part of it.
        self.now -= 1
        return await reporting(resultData=1)(call)


async def test_a_flooding_tenant_delays_nobody_else(world: World, gateway: Gateway) -> None:
    loud, quiet = await world.install(await world.tenant()), await world.install(await world.tenant())
    slow = AtOnce(0.02)
    loud.behave(slow)
    quiet.behave(reporting(resultData="quiet"))
    await narrow(world, loud, at_once=3)
    flood = await triggered(gateway, loud, FLOOD)

    before = len(slow.runs)
    execution_id = await gateway.trigger(quiet.path, quiet.key)
    ended = await gateway.status(quiet.id, execution_id, quiet.key, wait=15)
    during = len(slow.runs) - before

    assert ended["resultData"] == "quiet"
    # In one queue it would have come after all of them.
    assert before + during < FLOOD - 50
    assert during < 20
    await all_ended(gateway, loud, flood)
    assert sorted(slow.runs) == sorted(flood)


@pytest.mark.parametrize("behaviour", [None, hangs], ids=["down", "hanging"])
async def test_one_tenants_broken_n8n_delays_nobody_else(
    world: World, gateway: Gateway, own_n8n: ScriptedN8n, behaviour: Behaviour | None
) -> None:
    stuck = await world.install(await world.tenant_on(own_n8n), own_n8n)
    if behaviour is not None:
        await own_n8n.come_up()
        stuck.behave(behaviour)
    quiet = await world.install(await world.tenant())
    quiet.behave(reporting(resultData=1))
    waiting = await triggered(gateway, stuck, 30)

    execution_id = await gateway.trigger(quiet.path, quiet.key)
    ended = await gateway.status(quiet.id, execution_id, quiet.key, wait=15)

    assert ended["status"] == "success"
    sent = [(await stuck.run(run)).dispatch for run in waiting]
    assert "queued" in sent, "the broken n8n's runs were still waiting"
    await purge(world, stuck.tenant)


async def test_a_missing_lane_is_made_by_the_first_run(world: World, gateway: Gateway) -> None:
    installed = await world.install(await world.tenant())
    installed.behave(reporting(resultData=1))
    lane = lane_of(installed.tenant.organization_id)
    async with cloud_tasks(world) as client:
        await client.delete_queue(name=queue_name(world, lane))

    execution_id = await gateway.trigger(installed.path, installed.key)
    ended = await gateway.status(installed.id, execution_id, installed.key, wait=15)

    assert ended["status"] == "success"
    assert await limits(world, installed.tenant) == (5, 1)


async def test_a_run_whose_lane_cannot_be_made_goes_through_the_shared_queue(
    world: World, gateway: Gateway
) -> None:
    installed = await world.install(await world.tenant())
    installed.behave(reporting(resultData=1))
    body = await dispatch_body(installed)
    organization_id = installed.tenant.organization_id
    lane = lane_of(organization_id)
    async with cloud_tasks(world) as client:
        await client.delete_queue(name=queue_name(world, lane))
    # Somebody tried to make it within the last minute.
    world.platform.noted.is_new(("lane", lane))

    await book(world.platform, organization_id, dispatch_task(installed.id, body["executionId"], body))

    ended = await gateway.status(installed.id, body["executionId"], installed.key, wait=15)
    assert ended["status"] == "success"
    async with cloud_tasks(world) as client:
        names = [
            queue.name.rpartition("/")[2] async for queue in await client.list_queues(parent=parent(world))
        ]
    assert lane not in names


async def test_a_task_in_the_queue_of_before_is_still_sent(world: World, gateway: Gateway) -> None:
    installed = await world.install(await world.tenant())
    installed.behave(reporting(resultData=1))
    body = await dispatch_body(installed)

    task = dispatch_task(installed.id, body["executionId"], body)
    assert task.queue == DISPATCH == "dispatch"
    await world.platform.queue.create(task)

    ended = await gateway.status(installed.id, body["executionId"], installed.key, wait=15)
    assert ended["status"] == "success"


async def test_a_lane_follows_the_plan_of_its_organization(world: World, gateway: Gateway) -> None:
    tenant = await world.tenant()
    assert await limits(world, tenant) == (5, 1)

    body = {"organizationId": tenant.organization_id, "plan": "business"}
    answer = await gateway.post("/setOrganizationPlan", tenant.keys_of_none[KeyKind.ADMIN], body)

    assert answer.status_code == 200, answer.text
    assert await limits(world, tenant) == (20, 1)


async def triggered(gateway: Gateway, installed: Installation, count: int) -> list[str]:
    """Trigger so many runs, eight at a time."""

    async def some(share: int) -> list[str]:
        return [await gateway.trigger(installed.path, installed.key) for _ in range(share)]

    shares = await asyncio.gather(*(some(len(range(start, count, 8))) for start in range(8)))
    return [run for share in shares for run in share]


async def all_ended(gateway: Gateway, installed: Installation, runs: Sequence[str]) -> None:
    """Wait until all runs have succeeded."""
    for run in runs:
        ended = await gateway.status(installed.id, run, installed.key, wait=30)
        assert ended["status"] == "success", ended


async def narrow(world: World, installed: Installation, at_once: int) -> None:
    """Let the lane of an installation's organization send as fast as it can, so many at once."""
    lane = lane_of(installed.tenant.organization_id)
    await world.platform.queue.ensure(QueueSettings(lane, max_concurrent_dispatches=at_once, max_attempts=-1))


@asynccontextmanager
async def cloud_tasks(world: World) -> AsyncIterator[tasks_v2.CloudTasksAsyncClient]:
    async with grpc.aio.insecure_channel(world.servers.tasks) as channel:
        transport = CloudTasksGrpcAsyncIOTransport(channel=channel)
        yield tasks_v2.CloudTasksAsyncClient(transport=transport)


def parent(world: World) -> str:
    settings = world.platform.settings
    return f"projects/{settings.project}/locations/{settings.location}"


def queue_name(world: World, queue: str) -> str:
    return f"{parent(world)}/queues/{queue}"


async def limits(world: World, tenant: Tenant) -> tuple[float, int]:
    """Return how many runs the lane of an organization sends in a second, and at once."""
    async with cloud_tasks(world) as client:
        queue = await client.get_queue(name=queue_name(world, lane_of(tenant.organization_id)))
    rates = queue.rate_limits
    return rates.max_dispatches_per_second, rates.max_concurrent_dispatches


async def purge(world: World, tenant: Tenant) -> None:
    """Let nothing more be sent for an organization."""
    async with cloud_tasks(world) as client:
        await client.purge_queue(name=queue_name(world, lane_of(tenant.organization_id)))
