"""The stand-in's HTTP: the calls of n8n that deployments use, and what a measurement asks about them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import orjson
from aiohttp import web

from bench.standin.faults import LATE_SECONDS, Fault, Faults
from bench.standin.latency import Latencies
from bench.standin.workflows import Json, Refusal, Version, Workflow, Workflows

API_KEY = "the-api-key-of-this-n8n"
_API, _HOOK, _OWN = "/api/v1/", "/webhook/", "/stand-in/"

Done = tuple[int, object]
Doing = Callable[[], Done]


@dataclass(slots=True)
class StandIn:
    """An n8n in memory. ``calls`` counts them by kind."""

    latencies: Latencies
    faults: Faults = field(default_factory=Faults)
    workflows: Workflows = field(default_factory=Workflows)
    calls: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0
    _at_once: int = 0
    _applying: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        if request.path.startswith(_HOOK):
            return await self._webhook(request)
        if request.path.startswith(_API):
            if request.headers.get("X-N8N-API-KEY") != API_KEY:
                return _json(401, {"message": "Unauthorized"})
            return await self._api(request)
        if request.path.startswith(_OWN):
            return _json(200, await self._own(request))
        return _json(200 if request.path == "/healthz" else 404, {"status": "ok"})

    async def _webhook(self, request: web.BaseRequest) -> web.StreamResponse:
        self.calls["probe"] += 1
        await asyncio.sleep(self.latencies.of("probe"))
        methods = self.workflows.methods(request.path[len(_HOOK) :])
        if request.method != "OPTIONS" or not methods:
            return web.Response(status=404)
        allowed = {"Access-Control-Allow-Methods": ", ".join(["OPTIONS", *methods])}
        return web.Response(status=204, headers=allowed)

    async def _api(self, request: web.BaseRequest) -> web.StreamResponse:
        content = await request.read()
        kind, subject, do = self._call(request, orjson.loads(content) if content else {})
        self.calls[kind] += 1
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._meet(request, kind, self.faults.of(kind, subject), do)
        finally:
            self._at_once -= 1

    async def _meet(
        self, request: web.BaseRequest, kind: str, fault: Fault | None, do: Doing
    ) -> web.StreamResponse:
        done = None
        if fault in (None, Fault.CUT_AFTER, Fault.LATE):
            # Half before and half after: what waits for an answer sees it as late as it came.
            await asyncio.sleep(self.latencies.of(kind) / 2)
            done = _attempted(do)
        await asyncio.sleep(LATE_SECONDS if fault is Fault.LATE else self.latencies.of(kind) / 2)
        if done is not None and fault is None:
            return _json(*done)
        if fault in (Fault.CUT, Fault.CUT_AFTER, Fault.LATE):
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        if fault is Fault.REFUSED:
            return _json(400, {"message": "Unrecognized node type: n8n-nodes-base.injected"})
        return _json(int(fault or 500), {"message": "injected"})

    def _call(self, request: web.BaseRequest, body: Json) -> tuple[str, str, Doing]:
        """Return what a call is, which workflow it is about, and how to do it."""
        known, parts = self.workflows, request.path[len(_API) :].split("/")
        if parts == ["executions"]:
            return "executions", "", lambda: (200, {"data": [], "nextCursor": None})
        if parts == ["workflows"] and request.method == "GET":
            if "name" not in request.query:
                return "check", "", lambda: (200, {"data": []})
            part = request.query["name"]
            return "list", part, lambda: (200, {"data": [w.state() for w in known.named(part)]})
        if parts == ["workflows"]:
            return "create", str(body.get("name")), lambda: (200, known.create(body).state())
        if parts[0] != "workflows":
            return "other", "", lambda: (404, {"message": "Not Found"})
        workflow_id, *rest = parts[1:]
        workflow = known.known.get(workflow_id)
        subject = workflow.name if workflow else workflow_id
        match request.method, rest:
            case "GET", []:
                return "read", subject, lambda: (200, known.of(workflow_id).state())
            case "PUT", []:
                return "save", subject, lambda: self._save(known.of(workflow_id), body)
            case "DELETE", []:
                return "delete", subject, lambda: self._delete(known.of(workflow_id))
            case "POST", ["publish"]:
                return "publish", subject, lambda: self._publish(known.of(workflow_id), body)
            case "POST", ["unpublish"]:
                return "unpublish", subject, lambda: self._unpublish(known.of(workflow_id))
            case "GET", ["versions", version_id]:
                return "version", subject, lambda: self._version(known.of(workflow_id), version_id)
        return "other", subject, lambda: (404, {"message": "Not Found"})

    def _save(self, workflow: Workflow, body: Json) -> Done:
        self.workflows.save(workflow, body)
        return 200, workflow.state()

    def _publish(self, workflow: Workflow, body: Json) -> Done:
        version_id = body.get("versionId")
        version = self.workflows.publish(workflow, str(version_id) if version_id else None)
        self._apply_later(workflow, version)
        return 200, workflow.state()

    def _unpublish(self, workflow: Workflow) -> Done:
        workflow.active = None
        self._apply_later(workflow, None)
        return 200, workflow.state()

    def _delete(self, workflow: Workflow) -> Done:
        self.workflows.delete(workflow)
        return 200, workflow.state()

    @staticmethod
    def _version(workflow: Workflow, version_id: str) -> Done:
        version = workflow.versions.get(version_id)
        if version is None:
            raise Refusal(404, "Version not found")
        return 200, {"versionId": version.id, "nodes": version.nodes, "connections": version.connections}

    def _apply_later(self, workflow: Workflow, version: Version | None) -> None:
        """Run what was asked for, one after the other as it was asked for."""
        before = self._applying.get(workflow.id)

        async def apply() -> None:
            await asyncio.sleep(self.latencies.of("live"))
            if before is not None:
                await before
            self.workflows.apply(workflow, version)

        task = asyncio.get_running_loop().create_task(apply())
        self._applying[workflow.id] = task
        task.add_done_callback(
            lambda ended: (
                self._applying.pop(workflow.id) if self._applying.get(workflow.id) is ended else None
            )
        )

    async def _own(self, request: web.BaseRequest) -> object:
        content = await request.read()
        body: Json = orjson.loads(content) if content else {}
        actions: dict[str, Callable[[Json], object]] = {
            "workflows": self._told,
            "counts": self._counted,
            "pace": self._paced,
            "faults": self._faulted,
            "copy": self._copied,
            "forget": self._forgotten,
        }
        return actions[request.path[len(_OWN) :]](body)

    def _told(self, body: Json) -> object:
        return [
            {
                "id": workflow.id,
                "name": workflow.name,
                "versionId": workflow.draft.id,
                "activeVersionId": workflow.active.id if workflow.active else None,
                "liveVersionId": workflow.live.id if workflow.live else None,
                "mark": _mark(workflow.live),
            }
            for workflow in self.workflows.known.values()
        ]

    def _counted(self, body: Json) -> object:
        counted = {"calls": self.calls, "injected": self.faults.injected, "mostAtOnce": self.most_at_once}
        if body.get("reset"):
            self.calls, self.faults.injected, self.most_at_once = Counter(), Counter(), 0
        return counted

    def _paced(self, body: Json) -> object:
        self.latencies = replace(self.latencies, scale=float(str(body["scale"])))
        return {}

    def _faulted(self, body: Json) -> object:
        self.faults = Faults(float(str(body["rate"])), int(str(body["seed"])), bool(body.get("late", True)))
        return {}

    def _copied(self, body: Json) -> object:
        ids, many = body["ids"], body["texts"]
        assert isinstance(ids, list)
        assert isinstance(many, list)
        copies = [self.workflows.copy(ids, texts) for texts in many]
        return [{old: [w.id, w.draft.id] for old, w in copy.items()} for copy in copies]

    def _forgotten(self, body: Json) -> object:
        ids = body["ids"]
        assert isinstance(ids, list)
        for workflow_id in ids:
            workflow = self.workflows.of(workflow_id)
            workflow.active = None
            self.workflows.delete(workflow)
        return {}


def _attempted(do: Doing) -> Done:
    try:
        return do()
    except Refusal as refusal:
        return refusal.status, {"message": str(refusal)}


def _mark(version: Version | None) -> str | None:
    """Return what the use case of the measurement names its version by."""
    for node in version.nodes if version else ():
        parameters = node["parameters"]
        if node["name"] == "Mark" and isinstance(parameters, dict):
            return str(parameters["assignments"]["assignments"][0]["value"])
    return None


def _json(status: int, content: object) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(content), content_type="application/json")
