"""A scripted n8n that takes new organizations: workflows as deployments need them, and credentials."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from tests.integration.world.n8n_workflows import DeployableN8n, Json


@dataclass(slots=True)
class FurnishableN8n(DeployableN8n):
    """``credentials_kept`` is what it keeps, by id; ``store``, ``change`` and ``drop`` can be refused."""

    credentials_kept: dict[str, Json] = field(default_factory=dict)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/api/v1/credentials", self._store)
        app.router.add_patch("/api/v1/credentials/{id}", self._change)
        app.router.add_delete("/api/v1/credentials/{id}", self._drop)
        DeployableN8n.add_routes(self, app)

    async def _store(self, request: web.Request) -> web.Response:
        body = await request.json()
        await self._check(request, "store", body["name"])
        if body["id"] in self.credentials_kept:
            return web.json_response({"message": "A credential with this ID already exists"}, status=409)
        self.credentials_kept[body["id"]] = body
        return self._told(body["id"])

    async def _change(self, request: web.Request) -> web.Response:
        identifier = request.match_info["id"]
        await self._check(request, "change", identifier)
        if identifier not in self.credentials_kept:
            return web.json_response({"message": "Credential not found"}, status=404)
        self.credentials_kept[identifier].update(await request.json())
        return self._told(identifier)

    async def _drop(self, request: web.Request) -> web.Response:
        identifier = request.match_info["id"]
        await self._check(request, "drop", identifier)
        if self.credentials_kept.pop(identifier, None) is None:
            return web.json_response({"message": "Not Found"}, status=404)
        return web.json_response({"id": identifier})

    def _told(self, identifier: str) -> web.Response:
        kept = self.credentials_kept[identifier]
        told = {"id": identifier, "name": kept["name"], "type": kept["type"]}
        return web.json_response({**told, "updatedAt": "2026-01-01T00:00:00.000Z"})
