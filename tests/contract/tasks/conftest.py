from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import grpc
import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport

from infra.local.tasks.limits import Limits
from infra.local.tasks.server import Server, serve
from infra.local.tasks.times import SECOND
from tests.contract.tasks.worker import Worker

PARENT = "projects/demo/locations/europe-west1"

# Google's values but for the shortest deadline, which would make a test wait 15 seconds.
TEST_LIMITS = Limits(min_deadline=SECOND // 2)

MakeQueue = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    server = await serve(tmp_path_factory.mktemp("tasks"), limits=TEST_LIMITS)
    yield server
    await server.close()


@pytest.fixture(scope="session")
async def client(server: Server) -> AsyncIterator[tasks_v2.CloudTasksAsyncClient]:
    channel = grpc.aio.insecure_channel(server.address)
    yield tasks_v2.CloudTasksAsyncClient(transport=CloudTasksGrpcAsyncIOTransport(channel=channel))
    await channel.close()


@pytest.fixture(scope="session")
async def worker() -> AsyncIterator[Worker]:
    worker = Worker()
    await worker.start()
    yield worker
    await worker.stop()


@pytest.fixture
def path() -> str:
    """A path of the worker nobody else uses."""
    return f"/{uuid.uuid4().hex}"


@pytest.fixture
def make_queue(client: tasks_v2.CloudTasksAsyncClient) -> MakeQueue:
    async def make(
        rate_limits: tasks_v2.RateLimits | None = None, retry_config: tasks_v2.RetryConfig | None = None
    ) -> str:
        name = f"{PARENT}/queues/q-{uuid.uuid4().hex[:12]}"
        queue = tasks_v2.Queue(name=name, rate_limits=rate_limits, retry_config=retry_config)
        await client.create_queue(parent=PARENT, queue=queue)
        return name

    return make


@pytest.fixture
async def queue(make_queue: MakeQueue) -> str:
    return await make_queue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"
