"""Processes of the platform that die at any moment, and the address that leads to those that live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import orjson
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from starlette.requests import Request

from functions import load_all
from shared.http.declaration import REGISTRY
from shared.http.routes import route_table
from shared.http.serving import serve
from shared.services import faults as points
from shared.services.platform import Platform
from shared.settings import Settings
from shared.store.store import Store
from shared.tasks.queue import CloudTasksQueue
from tests.chaos.histories.faults import Faults
from tests.chaos.histories.virtual import VirtualSources
from tests.chaos.histories.wire import EngineChannel, Wire

load_all()
_TABLE = {segment.lower(): endpoint for segment, endpoint in route_table(REGISTRY.all()).items()}


class Killed(BaseException):
    """The process of whoever sees this is gone."""


class Lost(Exception):
    """No answer came: the call may have had an effect, or not."""


_HERE: ContextVar[Process | None] = ContextVar("process", default=None)


def reached(name: str) -> None:
    """Kill the process that reached a named point, if the seed says so."""
    here = _HERE.get()
    if here is None:
        return
    if here.dead.done():
        raise Killed(name)
    if here.faults.strikes("platform: killed at a point"):
        here.die(f"at {name}")
        raise Killed(name)


def _forgotten(task: asyncio.Task[Any]) -> None:
    # Nobody hears how the requests of a dead process went on.
    if not task.cancelled():
        task.exception()


class _Trusting:
    async def verify(self, authorization: str | None) -> None:
        """The queue here has no tokens; those are tested elsewhere."""


class Process:
    """One instance of all functions, with connections and memory of its own."""

    def __init__(
        self,
        settings: Settings,
        sources: VirtualSources,
        faults: Faults,
        vault: Any,
        note: Callable[[str], None],
    ) -> None:
        self.faults = faults
        self.dead: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.platform = Platform(settings, sources)
        self.platform.__dict__.update(vault=vault, verifier=_Trusting())
        self._note = note

    def connect(
        self, firestore_handler: Any, tasks_handler: Any, n8n: Any, n8n_url: str, receiver: Any
    ) -> Process:
        """Give it its wires."""
        settings = self.platform.settings
        client = firestore.AsyncClient(settings.project, AnonymousCredentials(), settings.database)  # type: ignore[no-untyped-call]  # it has no types
        channel = EngineChannel(Wire(self, "store"), firestore_handler)
        transport = FirestoreGrpcAsyncIOTransport(channel=channel)
        client._firestore_api_internal = FirestoreAsyncClient(transport=transport)
        queue = CloudTasksQueue(
            settings.project, settings.location, settings.tasks_base_url, settings.tasks_service_account
        )
        queue._channel._channel = EngineChannel(Wire(self, "queue"), tasks_handler)
        self.platform.__dict__.update(store=Store(client), queue=queue)
        self.platform.n8n._connections._clients[n8n_url] = n8n
        self.platform.poster._trusted = receiver
        return self

    async def still_lives(self) -> None:
        if self.dead.done():
            await asyncio.get_running_loop().create_future()

    def die(self, kind: str) -> None:
        if not self.dead.done():
            self._note(kind)
            self.dead.set_result(None)

    async def call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
        """Return status and body of an answer.

        Raises:
            Lost: it died meanwhile.
        """
        task = asyncio.get_running_loop().create_task(self._serve(method, path, body, headers))
        task.add_done_callback(_forgotten)
        either: set[asyncio.Future[Any]] = {task, self.dead}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self.dead.done():
            raise Lost
        return task.result()

    async def _serve(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Any]:
        _HERE.set(self)
        parts = urlsplit(path)
        scope = {
            "type": "http",
            "method": method,
            "path": parts.path,
            "query_string": parts.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("192.0.2.1", 1),
            "server": ("podium", 80),
            "scheme": "http",
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        endpoint = _TABLE[parts.path.split("/")[1].lower()]
        response = await serve(endpoint, Request(scope, receive), lambda: self.platform)
        return response.status_code, orjson.loads(bytes(response.body) or b"null")


def watch_points() -> None:
    """Let processes die at the named points."""
    points.listen(reached)
