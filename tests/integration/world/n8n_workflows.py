"""A scripted n8n that takes deployments: it keeps drafts, versions and what is published (docs/n8n.md).

Publishing and unpublishing take effect at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import web

from tests.integration.world.n8n import API_KEY, ScriptedN8n

Json = dict[str, Any]

_MOMENT = "2026-01-01T00:00:00.000Z"
_WEBHOOK = "n8n-nodes-base.webhook"
_PACKAGES = ("n8n-nodes-base.", "n8n-nodes-codika.", "@n8n/n8n-nodes-langchain.")


@dataclass(slots=True)
class Refusal:
    """``times`` calls of an action are refused, from the first call of the action ``after`` on.

    With ``named``, only calls about workflows whose name contains it.
    """

    action: str
    message: str
    status: int = 400
    after: str | None = None
    times: int = 1
    named: str = ""

    def meets(self, action: str, name: str) -> bool:
        """Return whether a call of that action about a workflow is refused now."""
        if action == self.after:
            self.after = None
        if action != self.action or self.named not in name or self.after is not None or not self.times:
            return False
        self.times -= 1
        return True


@dataclass(slots=True)
class DeployableN8n(ScriptedN8n):
    """``asked`` tells what it was asked to do: action and workflow name, in order."""

    kept: dict[str, Json] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    slow_seconds: float = 0
    """How long it takes over every call."""
    _versions: dict[str, Json] = field(default_factory=dict)
    slips: int = 0
    """How often it keeps the addresses of a workflow that is taken off in its cache (docs/n8n.md)."""
    _cached: dict[str, str] = field(default_factory=dict)
    _refusals: list[Refusal] = field(default_factory=list)
    _held: dict[str, asyncio.Event] = field(default_factory=dict)

    def refuse(self, action: str, message: str, **how: Any) -> None:
        """Refuse the next calls of an action; see :class:`Refusal`."""
        self._refusals.append(Refusal(action, message, **how))

    def forgive(self) -> None:
        """Refuse nothing any more."""
        self._refusals.clear()

    def hold(self, action: str) -> asyncio.Event:
        """Let the next calls of an action wait until the event is set."""
        self._held[action] = asyncio.Event()
        return self._held[action]

    def named(self, part: str) -> list[Json]:
        """Return the workflows whose name contains a text, oldest first."""
        return [workflow for workflow in self.kept.values() if part in workflow["name"]]

    def published(self, part: str) -> list[Json]:
        """Return those of them that are published."""
        return [workflow for workflow in self.named(part) if workflow["activeVersionId"]]

    def methods(self, path: str) -> set[str]:
        """Return the methods that published webhooks take at a path."""
        live = [self._versions[w["activeVersionId"]] for w in self.kept.values() if w["activeVersionId"]]
        return {method for version in live for method, taken in _webhooks(version) if taken == path}

    def live_nodes(self, workflow: Json) -> list[Json]:
        """Return the nodes of what is published of a workflow."""
        published = workflow["activeVersionId"]
        nodes: list[Json] = self._versions[published]["nodes"] if published else []
        return nodes

    def edit(self, workflow_id: str, nodes: list[Json], *, published: bool) -> None:
        """Change a workflow as somebody who is signed in to n8n may."""
        workflow = self._write(workflow_id, {**self.kept[workflow_id], "nodes": nodes})
        workflow["activeVersionId"] = workflow["versionId"] if published else None

    def add_routes(self, app: web.Application) -> None:
        router = app.router
        router.add_post("/api/v1/workflows", self._create)
        router.add_get("/api/v1/workflows", self._find)
        router.add_get("/api/v1/workflows/{id}", self._get)
        router.add_get("/api/v1/workflows/{id}/versions/{version}", self._version)
        router.add_put("/api/v1/workflows/{id}", self._save)
        router.add_post("/api/v1/workflows/{id}/publish", self._publish)
        router.add_post("/api/v1/workflows/{id}/unpublish", self._unpublish)
        router.add_delete("/api/v1/workflows/{id}", self._delete)
        router.add_route("OPTIONS", "/webhook/{path:.*}", self._options)
        ScriptedN8n.add_routes(self, app)

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        await self._check(request, "create", body["name"])
        workflow_id = uuid4().hex[:16]
        self.kept[workflow_id] = {
            "id": workflow_id,
            "createdAt": _MOMENT,
            "updatedAt": _MOMENT,
            "activeVersionId": None,
        }
        return web.json_response(self._write(workflow_id, body))

    async def _save(self, request: web.Request) -> web.Response:
        workflow = await self._of(request, "save")
        return web.json_response(self._write(workflow["id"], await request.json()))

    def _write(self, workflow_id: str, body: Json) -> Json:
        workflow = self.kept[workflow_id]
        parts = {"nodes": body["nodes"], "connections": body["connections"]}
        if {name: workflow.get(name) for name in parts} != parts:
            workflow["versionId"] = str(uuid4())
            self._versions[workflow["versionId"]] = {"versionId": workflow["versionId"], **parts}
        settings = {**workflow.get("settings", {}), **body["settings"]}
        workflow.update(parts, name=body["name"], settings=settings)
        return workflow

    async def _publish(self, request: web.Request) -> web.Response:
        workflow = await self._of(request, "publish")
        version_id = (await request.json()).get("versionId", workflow["versionId"])
        version = self._versions.get(version_id)
        if version is None:
            raise _refusal(404, "Version not found")
        for node in version["nodes"]:
            if not node["type"].startswith(_PACKAGES) or node["type"].endswith(".doesNotExist"):
                raise _refusal(400, f"Unrecognized node type: {node['type']}")
            if node["type"].endswith(".executeWorkflow"):
                self._require_published(node["parameters"]["workflowId"]["value"])
        workflow["activeVersionId"], before = None, workflow["activeVersionId"]
        self._cached = {path: owner for path, owner in self._cached.items() if owner != workflow["id"]}
        if any(path in self._cached or method in self.methods(path) for method, path in _webhooks(version)):
            workflow["activeVersionId"] = before
            raise _refusal(409, "There is a conflict with one of the webhooks.")
        workflow["activeVersionId"] = version_id
        return web.json_response(workflow)

    def _require_published(self, workflow_id: str) -> None:
        called = self.kept.get(workflow_id)
        if called is None or not called["activeVersionId"]:
            raise _refusal(400, f"Node references workflow {workflow_id} which is not published.")

    async def _unpublish(self, request: web.Request) -> web.Response:
        workflow = await self._of(request, "unpublish")
        if self.slips and workflow["activeVersionId"]:
            self.slips -= 1
            taken = _webhooks(self._versions[workflow["activeVersionId"]])
            self._cached |= {path: workflow["id"] for _, path in taken}
        workflow["activeVersionId"] = None
        return web.json_response(workflow)

    async def _delete(self, request: web.Request) -> web.Response:
        workflow = await self._of(request, "delete")
        if workflow["activeVersionId"]:
            raise _refusal(409, "Cannot delete a published workflow. Unpublish it first.")
        return web.json_response(self.kept.pop(workflow["id"]))

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(await self._of(request, "read"))

    async def _version(self, request: web.Request) -> web.Response:
        await self._of(request, "read")
        version = self._versions.get(request.match_info["version"])
        if version is None:
            raise _refusal(404, "Version not found")
        return web.json_response(version)

    async def _find(self, request: web.Request) -> web.Response:
        await self._check(request, "list", "")
        part = request.query.get("name", "").lower()
        rows = [workflow for workflow in self.kept.values() if part in workflow["name"].lower()]
        return web.json_response({"data": rows, "nextCursor": None})

    async def _options(self, request: web.Request) -> web.Response:
        methods = self.methods(request.match_info["path"])
        if not methods:
            return web.Response(status=404)
        headers = {"Access-Control-Allow-Methods": ", ".join(["OPTIONS", *sorted(methods)])}
        return web.Response(status=204, headers=headers)

    async def _of(self, request: web.Request, action: str) -> Json:
        workflow = self.kept.get(request.match_info["id"])
        if workflow is None:
            raise _refusal(404, "Not Found")
        await self._check(request, action, workflow["name"])
        return workflow

    async def _check(self, request: web.Request, action: str, name: str) -> None:
        if request.headers.get("X-N8N-API-KEY") != API_KEY:
            raise _refusal(401, "Unauthorized")
        self.asked.append((action, name))
        await asyncio.sleep(self.slow_seconds)
        if action in self._held:
            await self._held[action].wait()
        met = [refusal for refusal in self._refusals if refusal.meets(action, name)]
        if met:
            raise _refusal(met[0].status, met[0].message)


def _webhooks(version: Json) -> Iterator[tuple[str, str]]:
    for node in version["nodes"]:
        if node["type"] == _WEBHOOK and not node.get("disabled"):
            methods = node["parameters"].get("httpMethod", "GET")
            for method in methods if isinstance(methods, list) else [methods]:
                yield method, node["parameters"]["path"].strip("/")


def _refusal(status: int, message: str) -> web.HTTPException:
    kinds = {
        400: web.HTTPBadRequest,
        401: web.HTTPUnauthorized,
        404: web.HTTPNotFound,
        409: web.HTTPConflict,
        500: web.HTTPInternalServerError,
    }
    return kinds[status](text=f'{{"message": "{message}"}}', content_type="application/json")
