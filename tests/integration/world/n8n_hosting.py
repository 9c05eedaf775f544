"""A scripted n8n that takes organizations: beside workflows it keeps credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from shared.services.organizations.shards import offer_backend, withdraw_backend
from tests.integration.world.n8n_workflows import DeployableN8n, Json
from tests.integration.world.world import World


@dataclass(slots=True)
class HostingN8n(DeployableN8n):
    """``credentials`` are what it keeps, by id."""

    credentials: dict[str, Json] = field(default_factory=dict)

    def of(self, organization_id: str) -> tuple[int, int]:
        """How many workflows and credentials it keeps that name an organization."""
        held = [kept for kept in self.credentials.values() if organization_id in kept["name"]]
        return len(self.named(organization_id)), len(held)

    @property
    def is_empty(self) -> bool:
        return not self.kept and not self.credentials

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/api/v1/credentials", self._store)
        app.router.add_delete("/api/v1/credentials/{id}", self._forget)
        DeployableN8n.add_routes(self, app)

    async def _store(self, request: web.Request) -> web.Response:
        body = await request.json()
        await self._check(request, "store", body["name"])
        if body["id"] in self.credentials:
            return web.json_response({"message": "Credential already exists"}, status=409)
        self.credentials[body["id"]] = body
        told = {name: body[name] for name in ("id", "name", "type")}
        return web.json_response({**told, "updatedAt": "2026-01-01T00:00:00.000Z"})

    async def _forget(self, request: web.Request) -> web.Response:
        await self._check(request, "forget", "")
        if self.credentials.pop(request.match_info["id"], None) is None:
            return web.json_response({"message": "Not Found"}, status=404)
        return web.json_response({})


@asynccontextmanager
async def hosting(world: World, *, shared: bool = True) -> AsyncIterator[HostingN8n]:
    """Run such an n8n; new organizations are placed on it while it is ``shared``."""
    n8n = HostingN8n()
    await n8n.come_up()
    if shared:
        await world.register(n8n)
        await offer_backend(world.platform, str(n8n.port))
    try:
        yield n8n
    finally:
        if shared:
            await withdraw_backend(world.platform, str(n8n.port))
        await n8n.go_down()
