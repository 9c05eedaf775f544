from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import pytest
from google.cloud import secretmanager_v1 as sm
from google.cloud.secretmanager_v1.services.secret_manager_service import transports

from infra.local.tasks.server import Server, serve

PARENT = "projects/demo"
AUTOMATIC = sm.Replication(automatic=sm.Replication.Automatic())

AddVersion = Callable[[bytes], Awaitable[str]]


@pytest.fixture(scope="session")
async def secrets_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    server = await serve(tmp_path_factory.mktemp("secrets"))
    yield server
    await server.close()


@pytest.fixture(scope="session")
async def manager(secrets_server: Server) -> AsyncIterator[sm.SecretManagerServiceAsyncClient]:
    channel = grpc.aio.insecure_channel(secrets_server.address)
    transport = transports.SecretManagerServiceGrpcAsyncIOTransport(channel=channel)
    yield sm.SecretManagerServiceAsyncClient(transport=transport)
    await channel.close()


@pytest.fixture
async def secret(manager: sm.SecretManagerServiceAsyncClient) -> str:
    """The name of a new secret without versions."""
    secret_id = f"s-{uuid.uuid4().hex}"
    made = await manager.create_secret(
        parent=PARENT, secret_id=secret_id, secret=sm.Secret(replication=AUTOMATIC, labels={"team": "a"})
    )
    return made.name


@pytest.fixture
def add(manager: sm.SecretManagerServiceAsyncClient, secret: str) -> AddVersion:
    """Add a version to the secret and return its name."""

    async def add_version(data: bytes) -> str:
        payload = sm.SecretPayload(data=data)
        return (await manager.add_secret_version(parent=secret, payload=payload)).name

    return add_version
