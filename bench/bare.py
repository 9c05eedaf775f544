"""What a deploy comes down to in n8n: create, publish children first, wait until the webhooks answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

import httpx
import orjson

from bench.api import Json
from bench.session import Session
from shared.ensemble.body import NODE_KEYS, SETTINGS_KEYS
from shared.n8n.liveness import MARKER_NAME

_ORIGIN = {"Origin": "https://bench.invalid"}
_JSON = {"Content-Type": "application/json"}
_WEBHOOK = "n8n-nodes-base.webhook"
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Resolved workflow bodies by n8n id, in two levels: those that are called first."""

    levels: tuple[tuple[str, ...], tuple[str, ...]]
    bodies: Mapping[str, Json]
    own: tuple[str, ...]
    """Texts that belong to the installation the bodies were made for, and must not appear twice."""


class Bare:
    """n8n's API over one client, nothing around it."""

    def __init__(self, session: Session) -> None:
        self._url = session.n8n_url
        self._http = httpx.AsyncClient(
            headers=session.n8n_headers, timeout=60, trust_env=False, limits=httpx.Limits(max_connections=20)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def read(self, n8n_ids: Sequence[str], own: tuple[str, ...]) -> Ensemble:
        """Return the ensemble as it is in n8n, without the platform's markers."""
        answers = await asyncio.gather(*(self._call("GET", f"/workflows/{i}") for i in n8n_ids))
        bodies = {n8n_id: _body(answer) for n8n_id, answer in zip(n8n_ids, answers, strict=True)}
        called = {i for i in n8n_ids for other, body in bodies.items() if other != i and _mentions(body, i)}
        levels = tuple(sorted(called)), tuple(sorted(set(n8n_ids) - called))
        return Ensemble(levels, bodies, own)

    async def deploy(self, ensemble: Ensemble, *, guarded: bool) -> dict[str, Json]:
        """Bring a copy of the ensemble live; return its bodies by n8n id, children first.

        ``guarded`` also names, for every workflow that is called, who may call it: a call more for each,
        since the ids of the callers are known only then.
        """
        new = {text: uuid4().hex for text in ensemble.own}
        made: dict[str, str] = {}
        for level in ensemble.levels:
            copies = [_replaced(ensemble.bodies[n8n_id], new | made) for n8n_id in level]
            answers = await asyncio.gather(*(self._call("POST", "/workflows", body) for body in copies))
            made.update((old, str(answer["id"])) for old, answer in zip(level, answers, strict=True))
        if guarded:
            called, callers = ensemble.levels
            texts, allowed = new | made, [made[old] for old in callers]
            bodies = {made[old]: _replaced(ensemble.bodies[old], texts) for old in called}
            await asyncio.gather(*(self._guard(n8n_id, body, allowed) for n8n_id, body in bodies.items()))
        for level in ensemble.levels:
            await asyncio.gather(*(self._publish(made[n8n_id]) for n8n_id in level))
        live = {made[old]: _replaced(ensemble.bodies[old], new | made) for old in made}
        await self._until_live([webhook for body in live.values() for webhook in _webhooks(body)])
        return live

    async def change(self, n8n_id: str, body: Json) -> None:
        """Give one workflow a webhook more, publish it, and wait until that is there."""
        path = f"bench/{uuid4().hex}"
        parameters = {"httpMethod": "HEAD", "path": path, "options": {}}
        node = {
            "id": uuid4().hex,
            "name": "Changed",
            "type": _WEBHOOK,
            "typeVersion": 2,
            "position": [0, 400],
            "webhookId": str(uuid4()),
            "parameters": parameters,
        }
        nodes = [*_nodes(body), node]
        await self._save(n8n_id, {**body, "nodes": nodes})
        await self._publish(n8n_id)
        await self._until_live([("HEAD", path)])

    async def _guard(self, n8n_id: str, body: Json, callers: Sequence[str]) -> None:
        settings = body["settings"]
        assert isinstance(settings, dict)
        policy = {"callerPolicy": "workflowsFromAList", "callerIds": ",".join(callers)}
        await self._save(n8n_id, {**body, "settings": {**settings, **policy}})

    async def _save(self, n8n_id: str, body: Json) -> None:
        await self._call("PUT", f"/workflows/{n8n_id}?publishIfActive=false", body)

    async def _publish(self, n8n_id: str) -> None:
        await self._call("POST", f"/workflows/{n8n_id}/publish", {})

    async def _until_live(self, webhooks: list[tuple[str, str]]) -> None:
        missing = webhooks
        async with asyncio.timeout(60):
            while missing:
                seen = await asyncio.gather(*(self._is_live(*webhook) for webhook in missing))
                missing = [webhook for webhook, there in zip(missing, seen, strict=True) if not there]
                if missing:
                    await asyncio.sleep(_PAUSE_SECONDS)

    async def _is_live(self, method: str, path: str) -> bool:
        answer = await self._http.options(f"{self._url}/webhook/{path}", headers=_ORIGIN)
        return method in answer.headers.get("access-control-allow-methods", "")

    async def _call(self, method: str, path: str, body: object = None) -> Json:
        content = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json"}
        answer = await self._http.request(
            method, f"{self._url}/api/v1{path}", content=content, headers=headers
        )
        answer.raise_for_status()
        parsed: Json = orjson.loads(answer.content)
        return parsed


def _body(workflow: Json) -> Json:
    """Return what n8n's API takes. Who may call a workflow is left at n8n's default."""
    settings = workflow["settings"]
    kept = SETTINGS_KEYS - {"callerPolicy", "callerIds"}
    assert isinstance(settings, dict)
    return {
        "name": workflow["name"],
        "nodes": [
            {key: value for key, value in node.items() if key in NODE_KEYS}
            for node in _nodes(workflow)
            if node["name"] != MARKER_NAME
        ],
        "connections": workflow["connections"],
        "settings": {key: value for key, value in settings.items() if key in kept},
    }


def _nodes(body: Json) -> list[Json]:
    nodes = body["nodes"]
    assert isinstance(nodes, list)
    return nodes


def _mentions(body: Json, text: str) -> bool:
    return text.encode() in orjson.dumps(body["nodes"])


def _replaced(body: Json, texts: Mapping[str, str]) -> Json:
    content = orjson.dumps(body).decode()
    for old, new in texts.items():
        content = content.replace(old, new)
    copy: Json = orjson.loads(content)
    return copy


def _webhooks(body: Json) -> list[tuple[str, str]]:
    found = [node["parameters"] for node in _nodes(body) if node["type"] == _WEBHOOK]
    return [(str(p.get("httpMethod", "GET")), str(p["path"])) for p in found if isinstance(p, dict)]
