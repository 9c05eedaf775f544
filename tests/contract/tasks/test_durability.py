from __future__ import annotations

import asyncio
import json
import stat
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2

from infra.local.tasks.database import Database
from infra.local.tasks.delivery import Task
from infra.local.tasks.queue_store import QueueStore
from infra.local.tasks.queues import Queue, created
from infra.local.tasks.schema import SCHEMA
from infra.local.tasks.task_store import TaskStore
from infra.local.tasks.times import wall_clock
from tests.contract.tasks.conftest import PARENT
from tests.contract.tasks.process import Process, connected, running
from tests.contract.tasks.tasks import retries, task
from tests.contract.tasks.worker import Script, Worker

QUEUE = f"{PARENT}/queues/durable"


async def test_everything_acknowledged_survives_a_crash(folder: Path, worker: Worker, path: str) -> None:
    done = task(f"{worker.url}{path}-done", name=f"{QUEUE}/tasks/done")
    waiting = task(worker.url + path, name=f"{QUEUE}/tasks/waiting", after=3600, body=b"kept")
    async with running(folder) as first, connected(first.address) as client:
        queue = tasks_v2.Queue(name=QUEUE, retry_config=retries(attempts=5))
        await client.create_queue(parent=PARENT, queue=queue)
        await client.create_task(parent=QUEUE, task=done)
        await worker.wait(f"{path}-done")
        await asyncio.sleep(0.2)
        await client.create_task(parent=QUEUE, task=waiting)
        await client.pause_queue(name=QUEUE)
        await first.kill()

    async with running(folder) as second, connected(second.address) as client:
        queue = await client.get_queue(name=QUEUE)
        kept = await client.get_task(request={"name": waiting.name, "response_view": tasks_v2.Task.View.FULL})
        assert queue.state == tasks_v2.Queue.State.PAUSED
        assert queue.retry_config.max_attempts == 5
        assert kept.http_request.body == b"kept"
        for taken in (done, waiting):
            with pytest.raises(exceptions.AlreadyExists):
                await client.create_task(parent=QUEUE, task=taken)


async def test_a_task_in_flight_at_a_crash_is_delivered_again(
    folder: Path, worker: Worker, path: str
) -> None:
    worker.scripts[path] = Script(seconds=5)
    async with running(folder) as first, connected(first.address) as client:
        queue = tasks_v2.Queue(name=QUEUE, retry_config=retries(attempts=1))
        await client.create_queue(parent=PARENT, queue=queue)
        await client.create_task(parent=QUEUE, task=task(worker.url + path, name=f"{QUEUE}/tasks/t"))
        await worker.wait(path)
        await first.kill()

    worker.scripts[path] = Script()
    async with running(folder):
        deliveries = await worker.wait(path, 2)
    # Another attempt, not the same one again; it is made although only one was allowed.
    assert [delivery.retry_count for delivery in deliveries] == [0, 1]


async def test_no_acknowledged_creation_is_lost_in_a_crash_under_load(
    folder: Path, worker: Worker, path: str
) -> None:
    acknowledged = set()

    async def create(client: tasks_v2.CloudTasksAsyncClient, number: int) -> None:
        name = f"{QUEUE}/tasks/n{number}"
        await client.create_task(parent=QUEUE, task=task(worker.url + path, name=name, after=3600))
        acknowledged.add(name)

    async with running(folder) as first, connected(first.address) as client:
        await client.create_queue(parent=PARENT, queue=tasks_v2.Queue(name=QUEUE))
        creations = [asyncio.create_task(create(client, number)) for number in range(2000)]
        while len(acknowledged) < 200:
            await asyncio.sleep(0.001)
        await first.kill()
        await asyncio.gather(*creations, return_exceptions=True)

    async with running(folder) as second, connected(second.address) as client:
        stored = {item.name async for item in await client.list_tasks(parent=QUEUE)}
    assert 200 <= len(acknowledged) < 2000
    assert acknowledged <= stored


async def test_every_task_is_delivered_through_repeated_crashes_and_no_attempt_twice(
    folder: Path, worker: Worker, path: str
) -> None:
    worker.scripts[path] = Script(seconds=0.02)
    names = [f"t{number}" for number in range(300)]
    async with running(folder) as first, connected(first.address) as client:
        limits = tasks_v2.RateLimits(max_dispatches_per_second=200, max_concurrent_dispatches=20)
        queue = tasks_v2.Queue(name=QUEUE, rate_limits=limits)
        await client.create_queue(parent=PARENT, queue=queue)
        # All are there before the first is delivered, or hardly any would be left for the crashes.
        await client.pause_queue(name=QUEUE)
        for name in names:
            await client.create_task(parent=QUEUE, task=task(worker.url + path, name=f"{QUEUE}/tasks/{name}"))
        await client.resume_queue(name=QUEUE)
        await first.kill()

    for _ in range(3):
        async with running(folder):
            await worker.wait(path, len(worker.seen(path)) + 40)
    async with running(folder):
        until = time.monotonic() + 15
        while {d.headers["X-CloudTasks-TaskName"] for d in worker.seen(path)} != set(names):
            assert time.monotonic() < until
            await asyncio.sleep(0.02)
    attempts = [(d.headers["X-CloudTasks-TaskName"], d.retry_count) for d in worker.seen(path)]
    assert len(attempts) == len(set(attempts))


async def test_a_stop_lets_attempts_in_flight_end(folder: Path, worker: Worker, path: str) -> None:
    worker.scripts[path] = Script(seconds=0.5)
    async with running(folder) as first, connected(first.address) as client:
        await client.create_queue(parent=PARENT, queue=tasks_v2.Queue(name=QUEUE))
        name = f"{QUEUE}/tasks/ends"
        await client.create_task(parent=QUEUE, task=task(worker.url + path, name=name))
        await worker.wait(path)
        code, errors = await first.stop()
        assert (code, "Traceback" in errors) == (0, False)

    async with running(folder) as second, connected(second.address) as client:
        with pytest.raises(exceptions.NotFound):
            await client.get_task(name=name)
    assert len(worker.seen(path)) == 1


async def test_a_stop_cuts_off_what_takes_too_long_and_delivers_it_later(
    folder: Path, worker: Worker, path: str
) -> None:
    worker.scripts[path] = Script(seconds=5)
    async with running(folder, "--grace", "0.1") as first, connected(first.address) as client:
        await client.create_queue(parent=PARENT, queue=tasks_v2.Queue(name=QUEUE))
        await client.create_task(parent=QUEUE, task=task(worker.url + path))
        await worker.wait(path)
        start = time.monotonic()
        code, _ = await first.stop()
        assert code == 0
        assert time.monotonic() - start < 4

    worker.scripts[path] = Script()
    async with running(folder):
        assert len(await worker.wait(path, 2)) == 2


async def test_a_folder_is_served_by_one_process_only(folder: Path) -> None:
    async with running(folder):
        second = await Process.start(folder)
        code, errors = await second.ended()
        assert second.ready == {}
        assert code == 2
        assert "served by another process" in errors


async def test_files_are_private_and_the_identity_outlives_the_process(folder: Path) -> None:
    key_sets = []
    for _ in range(2):
        async with running(folder) as process:
            url = str(process.ready["jwksUrl"])
            assert url.endswith("/oauth2/v3/certs")
            key_sets.append(json.loads(await asyncio.to_thread(_get, url)))
            modes = _modes(folder)
            assert modes.pop(folder.name) == 0o700
            assert {"tasks.sqlite3", "secrets.sqlite3", "secrets.key", "tasks-identity.pem"} <= set(modes)
            assert set(modes.values()) == {0o600}
    assert key_sets[0] == key_sets[1]
    assert "d" not in key_sets[0]["keys"][0]


async def test_a_backlog_of_a_hundred_thousand_due_tasks_is_not_loaded_at_start(
    folder: Path, worker: Worker, path: str
) -> None:
    async with running(folder) as empty:
        without = psutil.Process(empty.child.pid).memory_info().rss
    _fill(folder, worker.url + path, 100_000)

    start = time.monotonic()
    async with running(folder) as process:
        await worker.wait(path, 50)
        elapsed = time.monotonic() - start
        memory = psutil.Process(process.child.pid).memory_info().rss
    assert elapsed < 10
    # The bodies alone are 100 MB.
    assert memory - without < 40 * 1024 * 1024


def _fill(folder: Path, url: str, count: int) -> None:
    database = Database(folder / "tasks.sqlite3", SCHEMA)
    with closing(database):
        queue = created(Queue(name=QUEUE))
        queue.rate_limits.max_concurrent_dispatches = 10
        queue_id = QueueStore(database).insert(queue)
        content = Task()
        content.http_request.url = url
        content.http_request.http_method = 1
        content.http_request.body = b"x" * 1024
        now = wall_clock()
        with database.transaction() as connection:
            connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                " INSERT INTO tasks (queue_id, name, named, content, created, eta, deadline)"
                " SELECT ?, i, 0, ?, ?, ?, 600000000 FROM n",
                (count, queue_id, content.SerializeToString(), now, now - 1000),
            )
        assert TaskStore(database).next_due(queue_id) == now - 1000


def _modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in (folder, *folder.iterdir())}


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as response:
        body: bytes = response.read()
    return body
