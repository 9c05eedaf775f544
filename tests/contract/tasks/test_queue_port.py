from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from google.cloud import tasks_v2

from infra.local.tasks.server import Server
from shared.errors import Internal, Unauthorized
from shared.tasks.oidc import TaskVerifier
from shared.tasks.queue import CloudTasksQueue, QueueSettings, TaskSpec
from tests.contract.tasks.process import running
from tests.contract.tasks.worker import Worker

PROJECT, LOCATION = "port", "europe-west1"
PARENT = f"projects/{PROJECT}/locations/{LOCATION}"
ACCOUNT = "podium-tasks@port.iam.gserviceaccount.com"
QUEUE = "dispatch"
FULL = tasks_v2.Task.View.FULL

Client = tasks_v2.CloudTasksAsyncClient


@pytest.fixture
async def port(server: Server, worker: Worker) -> AsyncIterator[CloudTasksQueue]:
    port = CloudTasksQueue(PROJECT, LOCATION, worker.url, ACCOUNT, endpoint=server.address)
    await port.ensure(QueueSettings(QUEUE))
    yield port
    await port.close()


@pytest.fixture
def verifier(server: Server, worker: Worker) -> TaskVerifier:
    return TaskVerifier(server.jwks_url, worker.url, ACCOUNT)


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def _status(failure: Internal) -> grpc.StatusCode:
    assert isinstance(failure.__cause__, grpc.aio.AioRpcError)
    return failure.__cause__.code()


async def test_a_created_task_reaches_its_handler_with_a_token_that_verifies(
    port: CloudTasksQueue, verifier: TaskVerifier, worker: Worker, path: str
) -> None:
    assert await port.create(TaskSpec(QUEUE, path, b'{"executionId": "e1"}')) is True
    (delivery,) = await worker.wait(path)
    claims = await verifier.verify(delivery.headers["Authorization"])
    assert (delivery.method, delivery.body) == ("POST", b'{"executionId": "e1"}')
    assert delivery.headers["Content-Type"] == "application/json"
    assert (claims.email, claims.audience) == (ACCOUNT, worker.url)
    assert claims.issued_at < claims.expires_at


async def test_a_token_for_one_service_does_not_open_another(
    port: CloudTasksQueue, server: Server, worker: Worker, path: str
) -> None:
    await port.create(TaskSpec(QUEUE, path, b"{}"))
    (delivery,) = await worker.wait(path)
    for audience, account in (("https://elsewhere.example", ACCOUNT), (worker.url, "other@port")):
        with pytest.raises(Unauthorized):
            await TaskVerifier(server.jwks_url, audience, account).verify(delivery.headers["Authorization"])


async def test_a_task_is_stored_with_its_time_and_deadline(port: CloudTasksQueue, client: Client) -> None:
    name, due = uuid.uuid4().hex, (datetime.now(UTC) + timedelta(days=20)).replace(microsecond=123456)
    spec = TaskSpec(QUEUE, "/t", b"{}", name=name, schedule_time=due, deadline=timedelta(minutes=2))
    await port.create(spec)
    stored = await client.get_task(name=f"{PARENT}/queues/{QUEUE}/tasks/{name}")
    assert stored.schedule_time == due
    assert stored.dispatch_deadline == timedelta(minutes=2)


async def test_a_second_task_of_a_name_is_not_created(port: CloudTasksQueue) -> None:
    spec = TaskSpec(QUEUE, "/t", b"{}", name=uuid.uuid4().hex, schedule_time=_later())
    assert [await port.create(spec), await port.create(spec)] == [True, False]


async def test_a_task_of_a_name_is_not_created_after_the_first_is_done(
    port: CloudTasksQueue, worker: Worker, path: str
) -> None:
    spec = TaskSpec(QUEUE, path, b"{}", name=uuid.uuid4().hex)
    assert await port.create(spec) is True
    await worker.wait(path)
    assert await port.create(spec) is False


async def test_of_many_creations_of_a_name_one_says_true(port: CloudTasksQueue) -> None:
    spec = TaskSpec(QUEUE, "/t", b"{}", name=uuid.uuid4().hex, schedule_time=_later())
    assert sum(await asyncio.gather(*(port.create(spec) for _ in range(20)))) == 1


async def test_thousands_of_creations_at_once_all_succeed(port: CloudTasksQueue) -> None:
    spec = TaskSpec(QUEUE, "/t", b"{}", schedule_time=_later())
    assert all(await asyncio.gather(*(port.create(spec) for _ in range(2500))))


async def test_a_deleted_task_never_arrives(port: CloudTasksQueue, worker: Worker, path: str) -> None:
    name = uuid.uuid4().hex
    soon = datetime.now(UTC) + timedelta(seconds=0.6)
    await port.create(TaskSpec(QUEUE, path, b"{}", name=name, schedule_time=soon))
    assert [await port.delete(QUEUE, name), await port.delete(QUEUE, name)] == [True, False]
    await asyncio.sleep(0.9)
    assert worker.seen(path) == []


async def test_a_queue_is_made_and_changed_to_fit_its_settings(port: CloudTasksQueue, client: Client) -> None:
    name = f"made-{uuid.uuid4().hex[:8]}"
    await port.ensure(QueueSettings(name))
    made = await client.get_queue(name=f"{PARENT}/queues/{name}")
    await port.ensure(
        QueueSettings(
            name,
            max_dispatches_per_second=5,
            max_concurrent_dispatches=2,
            max_attempts=-1,
            max_retry_duration=timedelta(hours=2),
            min_backoff=timedelta(seconds=1.5),
            max_backoff=timedelta(minutes=1),
            max_doublings=3,
        )
    )
    changed = await client.get_queue(name=f"{PARENT}/queues/{name}")
    assert (made.rate_limits.max_dispatches_per_second, made.retry_config.max_attempts) == (500, 100)
    assert changed.rate_limits.max_dispatches_per_second == 5
    assert changed.rate_limits.max_concurrent_dispatches == 2
    assert changed.retry_config.max_attempts == -1
    assert changed.retry_config.max_retry_duration == timedelta(hours=2)
    assert changed.retry_config.min_backoff == timedelta(seconds=1.5)
    assert changed.retry_config.max_backoff == timedelta(minutes=1)
    assert changed.retry_config.max_doublings == 3


async def test_a_missing_queue_is_our_own_fault(port: CloudTasksQueue) -> None:
    with pytest.raises(Internal) as failure:
        await port.create(TaskSpec("missing", "/t", b"{}"))
    assert _status(failure.value) == grpc.StatusCode.NOT_FOUND
    assert "NOT_FOUND" not in failure.value.message


async def test_a_queue_out_of_reach_is_reported_within_seconds() -> None:
    port = CloudTasksQueue(PROJECT, LOCATION, "http://127.0.0.1:1", ACCOUNT, endpoint="127.0.0.1:1")
    with pytest.raises(Internal) as failure:
        await asyncio.wait_for(port.create(TaskSpec(QUEUE, "/t", b"{}")), timeout=8)
    assert _status(failure.value) == grpc.StatusCode.UNAVAILABLE
    await port.close()


async def test_a_restarted_server_is_found_again_without_a_lost_call(folder: Path) -> None:
    async with running(folder) as first:
        address = first.address
        port = CloudTasksQueue(PROJECT, LOCATION, "http://127.0.0.1:1", ACCOUNT, endpoint=address)
        await port.ensure(QueueSettings(QUEUE))
        spec = TaskSpec(QUEUE, "/t", b"{}", name="survivor", schedule_time=_later())
        assert await port.create(spec) is True
        await first.kill()
    async with running(folder, "--port", address.rpartition(":")[2]):
        assert await port.create(spec) is False
        await port.close()


def test_a_task_does_not_show_its_body() -> None:
    assert "hidden" not in repr(TaskSpec(QUEUE, "/t", b"hidden"))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: TaskSpec("under_score", "/t", b""),
        lambda: TaskSpec(QUEUE, "t", b""),
        lambda: TaskSpec(QUEUE, "/t", b"", name="a b"),
        lambda: TaskSpec(QUEUE, "/t", b"", name="x" * 501),
        lambda: TaskSpec(QUEUE, "/t", b"", schedule_time=datetime(2026, 1, 1)),
    ],
)
def test_a_malformed_task_cannot_be_made(wrong: Callable[[], TaskSpec]) -> None:
    with pytest.raises(ValueError):
        wrong()
