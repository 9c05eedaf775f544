"""The process: both gRPC services on one port, the key set on another, one event loop, one folder."""

from __future__ import annotations

import asyncio
import fcntl
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.cloud.secretmanager_v1.types import service as secret_requests
from google.cloud.tasks_v2.types import cloudtasks as task_requests

from infra.local.secrets.sealing import Seal
from infra.local.secrets.service import SecretManager, check_master_key
from infra.local.secrets.store import SCHEMA as SECRETS_SCHEMA
from infra.local.secrets.store import SecretStore
from infra.local.tasks import certs
from infra.local.tasks.database import Database, create_private
from infra.local.tasks.delivery import Courier
from infra.local.tasks.identity import Identity
from infra.local.tasks.limits import Limits
from infra.local.tasks.queue_store import QueueStore
from infra.local.tasks.registry import Registry
from infra.local.tasks.rpc import generic_handler
from infra.local.tasks.schema import SCHEMA as TASKS_SCHEMA
from infra.local.tasks.service import CloudTasks
from infra.local.tasks.task_store import TaskStore
from infra.local.tasks.times import Clock, wall_clock

TASKS_SERVICE = "google.cloud.tasks.v2.CloudTasks"
SECRETS_SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_WAITING_CALLS = 100_000
CALL_GRACE_SECONDS = 1.0


class FolderInUse(Exception):
    """Another process serves the same data; two would deliver every task twice."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    host: str
    port: int
    jwks_port: int
    registry: Registry
    _parts: AsyncExitStack

    @property
    def address(self) -> str:
        """The gRPC address, ``host:port``, without TLS."""
        return f"{self.host}:{self.port}"

    @property
    def jwks_url(self) -> str:
        """Where the public keys of delivered tokens are."""
        return f"http://{self.host}:{self.jwks_port}{certs.PATH}"

    async def close(self, grace: float = 0.0) -> None:
        """Stop: no new attempts, up to ``grace`` seconds for those in flight, then the ports, then the files.

        The gRPC port stays open while attempts end, because handlers create tasks of their own.
        """
        await self.registry.stop(grace)
        await self._parts.aclose()


async def serve(
    data: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    jwks_port: int = 0,
    limits: Limits | None = None,
    clock: Clock = wall_clock,
) -> Server:
    """Start both services on the data folder, which is created when missing; port 0 chooses a free one.

    Raises:
        FolderInUse: another process serves this folder.
        WrongMasterKey: ``secrets.key`` is not the key of ``secrets.sqlite3``.
        OSError, RuntimeError: a port is taken.
    """
    async with AsyncExitStack() as parts:
        _take(data, parts)
        identity = Identity.load(data / "tasks-identity.pem", clock)
        # What is entered last is left first: ports close before connections, connections before files.
        tasks_database = _database(data / "tasks.sqlite3", TASKS_SCHEMA, parts)
        secrets_database = _database(data / "secrets.sqlite3", SECRETS_SCHEMA, parts)
        courier = Courier(identity, clock)
        parts.push_async_callback(courier.close)

        limits = limits or Limits()
        tasks = TaskStore(tasks_database)
        registry = Registry(QueueStore(tasks_database), tasks, courier.deliver, clock, limits)
        secrets = _secrets(secrets_database, data, clock)

        runner, jwks_port = await certs.serve_certs(identity, host, jwks_port)
        parts.push_async_callback(runner.cleanup)
        rpc = _rpc_server(CloudTasks(registry, tasks, clock, limits), secrets)
        port = rpc.add_insecure_port(f"{host}:{port}")
        await rpc.start()
        parts.push_async_callback(rpc.stop, CALL_GRACE_SECONDS)
        registry.start()
        for job in (registry.sweep(), tasks_database.keep_log_short(), secrets_database.keep_log_short()):
            parts.push_async_callback(_cancel, asyncio.create_task(job))
        return Server(host, port, jwks_port, registry, parts.pop_all())
    raise AssertionError("unreachable")


def _secrets(database: Database, data: Path, clock: Clock) -> SecretManager:
    store = SecretStore(database)
    seal = Seal.load(data / "secrets.key", first_time=store.seal_check() is None)
    check_master_key(store, seal)
    return SecretManager(store, seal, clock)


def _rpc_server(tasks: CloudTasks, secrets: SecretManager) -> grpc.aio.Server:
    server = grpc.aio.server(
        options=[
            # Without this a second process could share the port and take half of the calls.
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            # By default gRPC cancels calls at random once a thousand wait; a burst is no attack here.
            ("grpc.server.max_pending_requests", MAX_WAITING_CALLS),
            ("grpc.server.max_pending_requests_hard_limit", MAX_WAITING_CALLS),
        ]
    )
    server.add_generic_rpc_handlers(
        (
            generic_handler(TASKS_SERVICE, tasks, task_requests),
            generic_handler(SECRETS_SERVICE, secrets, secret_requests),
        )
    )
    return server


def _database(path: Path, schema: str, parts: AsyncExitStack) -> Database:
    database = Database(path, schema)
    parts.callback(database.close)
    return database


def _take(data: Path, parts: AsyncExitStack) -> None:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data / "tasks.lock"
    create_private(path)
    descriptor = os.open(path, os.O_RDWR)
    parts.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderInUse(f"{data} is served by another process; stop it first") from None


async def _cancel(job: asyncio.Task[None]) -> None:
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
