from __future__ import annotations

import asyncio
import socket
from itertools import pairwise

import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2

from tests.contract.tasks.conftest import MakeQueue
from tests.contract.tasks.tasks import retries, task
from tests.contract.tasks.worker import Delivery, Script, Worker

Client = tasks_v2.CloudTasksAsyncClient

# How late an attempt may be on a busy machine; too early is wrong on any machine.
LATE_SECONDS = 1.0
EARLY_SECONDS = 0.02


def _gaps(deliveries: list[Delivery]) -> list[float]:
    return [later.at - earlier.at for earlier, later in pairwise(deliveries)]


async def test_retries_wait_doubling_then_linear_then_constant_times(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(first=0.1, most=0.45, doublings=1))
    worker.scripts[path] = Script(statuses=[500] * 5)
    await client.create_task(parent=queue, task=task(worker.url + path))
    deliveries = await worker.wait(path, 6)
    assert [delivery.retry_count for delivery in deliveries] == [0, 1, 2, 3, 4, 5]
    for gap, expected in zip(_gaps(deliveries), [0.1, 0.2, 0.4, 0.45, 0.45], strict=True):
        assert expected - EARLY_SECONDS <= gap < expected + LATE_SECONDS


async def test_a_retry_tells_what_happened_before(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(first=0.1, most=0.1))
    worker.scripts[path] = Script(statuses=[503, 404])
    await client.create_task(parent=queue, task=task(worker.url + path))
    _, second, third = await worker.wait(path, 3)
    told = [
        (
            delivery.headers["X-CloudTasks-TaskRetryCount"],
            delivery.headers["X-CloudTasks-TaskExecutionCount"],
            delivery.headers["X-CloudTasks-TaskPreviousResponse"],
        )
        for delivery in (second, third)
    ]
    assert told == [("1", "0", "503"), ("2", "1", "404")]


async def test_a_failed_task_shows_its_attempts(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(first=60, most=60))
    worker.scripts[path] = Script(statuses=[429])
    created = await client.create_task(parent=queue, task=task(worker.url + path))
    await worker.wait(path)
    await asyncio.sleep(0.1)
    failed = await client.get_task(name=created.name)
    assert (failed.dispatch_count, failed.response_count) == (1, 1)
    assert failed.last_attempt.response_status.code == 8  # RESOURCE_EXHAUSTED
    assert failed.first_attempt.dispatch_time == failed.last_attempt.dispatch_time
    assert failed.last_attempt.response_time >= failed.last_attempt.dispatch_time
    assert (failed.schedule_time - failed.last_attempt.response_time).total_seconds() == pytest.approx(
        60, abs=1
    )


async def test_a_task_is_given_up_after_its_last_attempt_and_its_name_stays_taken(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(attempts=3, first=0.05, most=0.05))
    worker.scripts[path] = Script(always=500)
    failing = task(worker.url + path, name=f"{queue}/tasks/failing")
    await client.create_task(parent=queue, task=failing)
    await worker.wait(path, 3)
    await asyncio.sleep(0.4)
    assert len(worker.seen(path)) == 3
    with pytest.raises(exceptions.NotFound):
        await client.get_task(name=failing.name)
    with pytest.raises(exceptions.AlreadyExists):
        await client.create_task(parent=queue, task=failing)


async def test_unlimited_attempts_end_with_the_retry_duration(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(attempts=-1, first=0.1, most=0.1, duration=0.5))
    worker.scripts[path] = Script(always=500)
    await client.create_task(parent=queue, task=task(worker.url + path))
    deliveries = await worker.wait(path, 2)
    await asyncio.sleep(1.2)
    deliveries = worker.seen(path)
    assert 2 <= len(deliveries) <= 7
    assert deliveries[-2].at - deliveries[0].at < 0.5 + LATE_SECONDS


async def test_attempts_go_on_until_the_retry_duration_is_over_as_well(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(attempts=1, first=0.1, most=0.1, duration=0.3))
    worker.scripts[path] = Script(always=500)
    await client.create_task(parent=queue, task=task(worker.url + path))
    assert len(await worker.wait(path, 2)) >= 2


async def test_a_worker_may_ask_for_a_later_retry(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(first=0.1))
    worker.scripts[path] = Script(statuses=[503], headers={"Retry-After": "1"})
    await client.create_task(parent=queue, task=task(worker.url + path))
    (gap,) = _gaps(await worker.wait(path, 2))
    assert 1.0 - EARLY_SECONDS <= gap < 1.0 + LATE_SECONDS


async def test_a_task_may_bring_its_own_retry_settings(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(attempts=100, first=0.05, most=0.05))
    worker.scripts[path] = Script(always=500)
    await client.create_task(
        parent=queue, task=task(worker.url + path, retry=tasks_v2.RetryConfig(max_attempts=2))
    )
    await worker.wait(path, 2)
    await asyncio.sleep(0.4)
    assert len(worker.seen(path)) == 2


async def test_a_worker_that_cannot_be_reached_is_tried_again(client: Client, make_queue: MakeQueue) -> None:
    queue = await make_queue(retry_config=retries(first=0.05, most=0.05))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        created = await client.create_task(
            parent=queue, task=task(f"http://127.0.0.1:{closed.getsockname()[1]}/")
        )
        await asyncio.sleep(0.5)
    seen = await client.get_task(name=created.name)
    assert seen.dispatch_count >= 2
    assert seen.response_count == 0
    assert seen.last_attempt.response_status.code == 14  # UNAVAILABLE


async def test_changed_retry_settings_apply_to_tasks_that_wait(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(first=0.05, most=0.05))
    worker.scripts[path] = Script(always=500)
    await client.create_task(parent=queue, task=task(worker.url + path))
    await worker.wait(path, 2)
    await client.update_queue(queue=tasks_v2.Queue(name=queue, retry_config=retries(attempts=1)))
    await asyncio.sleep(0.3)
    count = len(worker.seen(path))
    await asyncio.sleep(0.5)
    assert len(worker.seen(path)) == count
