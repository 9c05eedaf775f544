from __future__ import annotations

import uuid

import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2
from google.protobuf import field_mask_pb2

from tests.contract.tasks.conftest import PARENT, MakeQueue
from tests.contract.tasks.tasks import retries, seconds, task

Client = tasks_v2.CloudTasksAsyncClient


async def test_a_new_queue_runs_with_the_documented_defaults(client: Client, queue: str) -> None:
    found = await client.get_queue(name=queue)
    assert found.state == tasks_v2.Queue.State.RUNNING
    assert found.rate_limits == tasks_v2.RateLimits(
        max_dispatches_per_second=500, max_burst_size=100, max_concurrent_dispatches=1000
    )
    assert found.retry_config == tasks_v2.RetryConfig(
        max_attempts=100, min_backoff=seconds(0.1), max_backoff=seconds(3600), max_doublings=16
    )


async def test_a_queue_is_not_created_twice(client: Client, queue: str) -> None:
    with pytest.raises(exceptions.AlreadyExists):
        await client.create_queue(parent=PARENT, queue=tasks_v2.Queue(name=queue))


@pytest.mark.parametrize("short", ["", "under_score", "a" * 101, "a/b", "ä"])
async def test_a_queue_with_an_invalid_name_is_refused(client: Client, short: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await client.create_queue(parent=PARENT, queue=tasks_v2.Queue(name=f"{PARENT}/queues/{short}"))


async def test_a_queue_outside_its_parent_is_refused(client: Client) -> None:
    queue = tasks_v2.Queue(name="projects/other/locations/europe-west1/queues/q")
    with pytest.raises(exceptions.InvalidArgument):
        await client.create_queue(parent=PARENT, queue=queue)


@pytest.mark.parametrize(
    "queue",
    [
        tasks_v2.Queue(rate_limits=tasks_v2.RateLimits(max_dispatches_per_second=501)),
        tasks_v2.Queue(rate_limits=tasks_v2.RateLimits(max_dispatches_per_second=-1)),
        tasks_v2.Queue(rate_limits=tasks_v2.RateLimits(max_concurrent_dispatches=5001)),
        tasks_v2.Queue(retry_config=tasks_v2.RetryConfig(max_attempts=-2)),
        tasks_v2.Queue(retry_config=tasks_v2.RetryConfig(max_doublings=-1)),
        tasks_v2.Queue(retry_config=retries(first=5, most=1)),
    ],
)
async def test_settings_out_of_range_are_refused(client: Client, queue: tasks_v2.Queue) -> None:
    queue.name = f"{PARENT}/queues/refused"
    with pytest.raises(exceptions.InvalidArgument):
        await client.create_queue(parent=PARENT, queue=queue)
    with pytest.raises(exceptions.NotFound):
        await client.get_queue(name=queue.name)


async def test_an_update_changes_only_what_its_mask_names(client: Client, make_queue: MakeQueue) -> None:
    name = await make_queue(retry_config=retries(attempts=7))
    changed = await client.update_queue(
        queue=tasks_v2.Queue(
            name=name,
            rate_limits=tasks_v2.RateLimits(max_dispatches_per_second=20, max_concurrent_dispatches=3),
            retry_config=retries(attempts=99),
        ),
        update_mask=field_mask_pb2.FieldMask(paths=["rate_limits.max_dispatches_per_second"]),
    )
    assert changed == await client.get_queue(name=name)
    assert changed.rate_limits.max_dispatches_per_second == 20
    assert changed.rate_limits.max_burst_size == 20
    assert changed.rate_limits.max_concurrent_dispatches == 1000
    assert changed.retry_config.max_attempts == 7


async def test_an_update_of_a_whole_group_resets_what_it_leaves_out(
    client: Client, make_queue: MakeQueue
) -> None:
    name = await make_queue(retry_config=retries(attempts=7, doublings=2))
    queue = tasks_v2.Queue(name=name, retry_config=tasks_v2.RetryConfig(max_attempts=-1))
    mask = field_mask_pb2.FieldMask(paths=["retry_config"])
    changed = await client.update_queue(queue=queue, update_mask=mask)
    assert (changed.retry_config.max_attempts, changed.retry_config.max_doublings) == (-1, 16)


async def test_an_update_with_an_unknown_field_changes_nothing(client: Client, queue: str) -> None:
    before = await client.get_queue(name=queue)
    with pytest.raises(exceptions.InvalidArgument):
        await client.update_queue(
            queue=tasks_v2.Queue(name=queue), update_mask=field_mask_pb2.FieldMask(paths=["colour"])
        )
    assert await client.get_queue(name=queue) == before


async def test_an_update_creates_a_missing_queue(client: Client) -> None:
    name = f"{PARENT}/queues/made-{uuid.uuid4().hex[:8]}"
    limits = tasks_v2.RateLimits(max_concurrent_dispatches=2)
    await client.update_queue(queue=tasks_v2.Queue(name=name, rate_limits=limits))
    assert (await client.get_queue(name=name)).rate_limits.max_concurrent_dispatches == 2


async def test_a_deleted_queue_takes_its_tasks_along(client: Client, queue: str) -> None:
    created = await client.create_task(parent=queue, task=task("http://127.0.0.1:1/", after=60))
    await client.delete_queue(name=queue)
    for call in (client.get_queue(name=queue), client.get_task(name=created.name)):
        with pytest.raises(exceptions.NotFound):
            await call
    await client.create_queue(parent=PARENT, queue=tasks_v2.Queue(name=queue))
    assert [item async for item in await client.list_tasks(parent=queue)] == []


async def test_queues_are_listed_in_pages_and_by_state(client: Client) -> None:
    parent = f"projects/p{uuid.uuid4().hex[:8]}/locations/europe-west1"
    names = [f"{parent}/queues/q{number}" for number in range(5)]
    for name in names:
        await client.create_queue(parent=parent, queue=tasks_v2.Queue(name=name))
    await client.pause_queue(name=names[2])

    pages = (await client.list_queues(request={"parent": parent, "page_size": 2})).pages
    sizes = [len(page.queues) async for page in pages]
    listed = [queue.name async for queue in await client.list_queues(request={"parent": parent})]
    paused = await client.list_queues(request={"parent": parent, "filter": "state: PAUSED"})
    assert sizes == [2, 2, 1]
    assert listed == names
    assert [queue.name async for queue in paused] == [names[2]]


async def test_a_queue_that_does_not_exist_is_not_found(client: Client) -> None:
    name = f"{PARENT}/queues/nowhere"
    for call in (
        client.get_queue(name=name),
        client.delete_queue(name=name),
        client.pause_queue(name=name),
        client.purge_queue(name=name),
        client.create_task(parent=name, task=task("http://127.0.0.1:1/")),
    ):
        with pytest.raises(exceptions.NotFound):
            await call


async def test_permissions_are_not_kept(client: Client, queue: str) -> None:
    with pytest.raises(exceptions.MethodNotImplemented):
        await client.get_iam_policy(request={"resource": queue})
