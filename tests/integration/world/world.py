"""Everything a test of the platform without n8n acts on, as one object."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport

from infra.local.bootstrap.bootstrap import configure_mail
from shared.services.organizations.provision import register_backend
from shared.services.platform import Platform, open_platform
from shared.services.queues import ensure_queues
from shared.settings import read_settings
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation, install
from tests.integration.world.n8n import API_KEY, ScriptedN8n
from tests.integration.world.servers import Servers, gateway, serving
from tests.integration.world.tenants import Tenant, create_tenant

_MAIN = {"DISPATCH_ACCEPT_AFTER_SECONDS": "1", "TRUSTED_PROXIES": "1"}
"""The settings of the gateway most tests call; a test may say where its calls are from."""


@dataclass(slots=True)
class World:
    """Running servers, a gateway, the platform opened in this process, and two organizations."""

    servers: Servers
    platform: Platform
    gateway: Gateway
    n8n: ScriptedN8n
    north: Tenant
    south: Tenant
    _stack: AsyncExitStack = field(repr=False)
    _gateways: dict[str, Gateway] = field(default_factory=dict)

    async def tenant(self, name: str = "Comptoir Est") -> Tenant:
        """Return an organization that no other test knows."""
        return await create_tenant(self.platform, name, self.n8n)

    async def install(
        self, tenant: Tenant | None = None, n8n: ScriptedN8n | None = None, **options: Any
    ) -> Installation:
        """Install a workflow, by default for ``north`` on the n8n that is up."""
        return await install(self.platform, tenant or self.north, n8n or self.n8n, **options)

    async def tenant_on(self, n8n: ScriptedN8n) -> Tenant:
        """Return a new organization whose n8n is this one."""
        return await create_tenant(self.platform, "Casa Est", n8n)

    async def another_gateway(self, name: str, **environ: str) -> Gateway:
        """Return a gateway with other settings; the same one for the same name."""
        if name not in self._gateways:
            started = gateway(self.servers, name, environ)
            self._gateways[name] = await self._stack.enter_async_context(started)
        return self._gateways[name]

    def task_token(self, gateway: Gateway | None = None, account: str | None = None) -> str:
        """The identity token that a task delivered to that gateway carries."""
        audience = (gateway or self.gateway).base_url
        account = account or self.platform.settings.tasks_service_account
        return self.servers.identity().token(account, audience)

    async def deliver(
        self, endpoint: str, body: Mapping[str, object], gateway: Gateway | None = None
    ) -> httpx.Response:
        """Call a task handler as the queue does."""
        at = gateway or self.gateway
        headers = {"Authorization": f"Bearer {self.task_token(at)}"}
        return await at.http.post(f"/{endpoint}", json=body, headers=headers)

    async def booked(self, queue: str, about: str) -> dict[str, datetime]:
        """Return the tasks waiting in a queue whose name contains ``about``, and when they are due."""
        settings = self.platform.settings
        parent = f"projects/{settings.project}/locations/{settings.location}/queues/{queue}"
        async with grpc.aio.insecure_channel(self.servers.tasks) as channel:
            client = tasks_v2.CloudTasksAsyncClient(transport=CloudTasksGrpcAsyncIOTransport(channel=channel))
            tasks = [task async for task in await client.list_tasks(parent=parent)]
        names = {task.name.rpartition("/")[2]: task.schedule_time for task in tasks}
        return {name: due for name, due in names.items() if about in name}

    async def register(self, n8n: ScriptedN8n) -> None:
        """Make an n8n known as a backend."""
        await register_backend(self.platform, str(n8n.port), n8n.url, API_KEY)


@asynccontextmanager
async def running_world(folder: Path) -> AsyncIterator[World]:
    """Start everything on free ports, and end it afterwards."""
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(serving(folder))
        starting = stack.enter_async_context(gateway(servers, "main", _MAIN))
        main = await starting
        platform = _open(servers, main)
        stack.push_async_callback(platform.close)
        await asyncio.gather(platform.vault.ensure_keys(), ensure_queues(platform.queue, platform.settings))
        await configure_mail(platform, servers.mail_configuration)
        n8n = ScriptedN8n()
        await n8n.come_up()
        stack.push_async_callback(n8n.go_down)
        await register_backend(platform, str(n8n.port), n8n.url, API_KEY)
        north = await create_tenant(platform, "Atelier Nord", n8n)
        south = await create_tenant(platform, "Bureau Süd", n8n)
        yield World(servers, platform, main, n8n, north, south, stack)


def _open(servers: Servers, main: Gateway) -> Platform:
    environment = servers.environment(main.base_url)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FIRESTORE_EMULATOR_HOST", servers.firestore)
        platform = open_platform(read_settings(environment))
        # Firestore's client reads its address from the environment itself, when it is opened: now.
        _ = platform.store
    return platform
