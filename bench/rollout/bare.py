"""What bringing a version into one installation comes down to in n8n: save, publish children first, wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import orjson

from bench.api import Json
from shared.ensemble.body import NODE_KEYS, SETTINGS_KEYS
from shared.n8n.liveness import MARKER_NAME, marker, wait_until_live

LIVE_WITHIN_SECONDS = 60.0

Observe = Callable[[str, float], None]
"""Told of every call: its kind, and the seconds it took."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """One installation's workflows: bodies by n8n id as n8n's API takes them; those that are called first."""

    levels: tuple[tuple[str, ...], ...]
    bodies: Mapping[str, Json]


@dataclass(slots=True)
class Bare:
    """n8n's API over one client, nothing around it."""

    url: str
    http: httpx.AsyncClient
    observe: Observe = field(default=lambda kind, seconds: None)

    async def update(self, ensemble: Ensemble, mark: str) -> None:
        """Bring the ensemble live with another mark: save, publish and probe every workflow."""
        new = {n8n_id: changed(body, mark) for n8n_id, body in ensemble.bodies.items()}
        await asyncio.gather(*(self.save(n8n_id, body) for n8n_id, (body, _) in new.items()))
        for level in ensemble.levels:
            await asyncio.gather(*(self.publish(n8n_id) for n8n_id in level))
        markers = [marker(path) for _, path in new.values()]
        await wait_until_live(self.http, self.url, markers, LIVE_WITHIN_SECONDS)

    async def create(self, body: Json) -> str:
        """Return the id of a new workflow, a draft."""
        return str((await self.call("create", "POST", "/workflows", body))["id"])

    async def read(self, n8n_id: str) -> Json:
        """Return a workflow's body as n8n's API takes it."""
        workflow = await self.call("read", "GET", f"/workflows/{n8n_id}?excludePinnedData=true")
        settings, nodes = workflow["settings"], workflow["nodes"]
        assert isinstance(settings, dict)
        assert isinstance(nodes, list)
        return {
            "name": workflow["name"],
            "nodes": [{key: value for key, value in node.items() if key in NODE_KEYS} for node in nodes],
            "connections": workflow["connections"],
            "settings": {key: value for key, value in settings.items() if key in SETTINGS_KEYS},
        }

    async def remove(self, n8n_ids: Sequence[str]) -> None:
        """Take workflows off, those that call others first, and delete them."""
        for n8n_id in n8n_ids:
            await self.call("unpublish", "POST", f"/workflows/{n8n_id}/unpublish", {})
        await asyncio.sleep(0.5)
        for n8n_id in n8n_ids:
            await self.call("delete", "DELETE", f"/workflows/{n8n_id}")

    async def call(self, kind: str, method: str, path: str, body: object = None) -> Json:
        """Return n8n's answer.

        Raises:
            httpx.HTTPError: there is none, or it is a refusal.
        """
        content = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json"}
        began = time.perf_counter()
        answer = await self.http.request(method, f"{self.url}/api/v1{path}", content=content, headers=headers)
        self.observe(kind, time.perf_counter() - began)
        answer.raise_for_status()
        parsed: Json = orjson.loads(answer.content)
        return parsed

    async def save(self, n8n_id: str, body: Json) -> None:
        """Replace the draft."""
        await self.call("save", "PUT", f"/workflows/{n8n_id}?publishIfActive=false", body)

    async def publish(self, n8n_id: str) -> None:
        """Ask for the draft to be live."""
        await self.call("publish", "POST", f"/workflows/{n8n_id}/publish", {})


def opened(url: str, api_key: str, observe: Observe | None = None) -> Bare:
    """Return a client of the n8n at that address; its connections are to be closed."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=3.0)
    headers = {"X-N8N-API-KEY": api_key}
    http = httpx.AsyncClient(headers=headers, timeout=60, trust_env=False, limits=limits)
    return Bare(url, http, observe) if observe else Bare(url, http)


def changed(body: Json, mark: str) -> tuple[Json, str]:
    """Return the body with another mark and a live marker of its own, and where that will be seen."""
    nodes: list[Json] = []
    path = ""
    for node in _nodes(body):
        parameters = node["parameters"]
        assert isinstance(parameters, dict)
        if node["name"] == MARKER_NAME:
            path = f"{str(parameters['path']).rpartition('/')[0]}/{uuid4().hex}"
            nodes.append({**node, "id": uuid4().hex, "parameters": {**parameters, "path": path}})
        elif node["name"] == "Mark":
            assigned = {"assignments": [{"id": "mark", "name": "mark", "type": "string", "value": mark}]}
            nodes.append({**node, "parameters": {**parameters, "assignments": assigned}})
        else:
            nodes.append(node)
    return {**body, "nodes": nodes}, path


def _nodes(body: Json) -> list[Json]:
    nodes = body["nodes"]
    assert isinstance(nodes, list)
    return nodes
