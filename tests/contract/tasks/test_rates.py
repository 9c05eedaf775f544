from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

from google.cloud import tasks_v2

from tests.contract.tasks.conftest import MakeQueue
from tests.contract.tasks.tasks import retries, task
from tests.contract.tasks.worker import Script, Worker

Client = tasks_v2.CloudTasksAsyncClient


async def _create(client: Client, queue: str, url: str, count: int) -> None:
    await asyncio.gather(*(client.create_task(parent=queue, task=task(url)) for _ in range(count)))


async def test_dispatches_are_spread_over_time(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(rate_limits=tasks_v2.RateLimits(max_dispatches_per_second=10))
    await _create(client, queue, worker.url + path, 25)
    deliveries = await worker.wait(path, 25)
    # Ten go at once, the other fifteen at ten a second.
    assert 1.4 < deliveries[-1].at - deliveries[0].at < 4


async def test_a_rate_below_one_a_second_is_kept(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(rate_limits=tasks_v2.RateLimits(max_dispatches_per_second=0.8))
    await _create(client, queue, worker.url + path, 2)
    first, second = await worker.wait(path, 2)
    assert 1.2 < second.at - first.at < 3


async def test_no_more_attempts_run_at_once_than_allowed(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(rate_limits=tasks_v2.RateLimits(max_concurrent_dispatches=3))
    worker.scripts[path] = Script(seconds=0.1)
    await _create(client, queue, worker.url + path, 12)
    await worker.wait(path, 12)
    assert worker.peak[path] == 3


async def test_a_slow_queue_does_not_hold_up_another(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    slow = await make_queue(rate_limits=tasks_v2.RateLimits(max_concurrent_dispatches=1))
    worker.scripts[path] = Script(seconds=2)
    await _create(client, slow, worker.url + path, 3)
    quick = await make_queue()
    start = time.monotonic()
    await _create(client, quick, f"{worker.url}{path}-quick", 3)
    await worker.wait(f"{path}-quick", 3)
    assert time.monotonic() - start < 1.5
    await client.delete_queue(name=slow)


async def test_raised_limits_apply_at_once(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(rate_limits=tasks_v2.RateLimits(max_dispatches_per_second=0.01))
    await _create(client, queue, worker.url + path, 3)
    await worker.wait(path, 1)
    await client.update_queue(queue=tasks_v2.Queue(name=queue))
    assert len(await worker.wait(path, 3)) == 3


async def test_every_attempt_is_made_once_and_every_task_succeeds_once(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(first=0.02, most=0.05))
    dice = random.Random(7)
    worker.scripts[path] = Script(statuses=[dice.choice([200, 200, 500]) for _ in range(400)])
    await _create(client, queue, worker.url + path, 300)
    until = time.monotonic() + 15
    while sum(delivery.status == 200 for delivery in worker.seen(path)) < 300:
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    deliveries = worker.seen(path)
    attempts = Counter((d.headers["X-CloudTasks-TaskName"], d.retry_count) for d in deliveries)
    successes = Counter(d.headers["X-CloudTasks-TaskName"] for d in deliveries if d.status == 200)
    assert set(attempts.values()) == {1}
    assert len(successes) == 300
    assert set(successes.values()) == {1}
