"""An HTTP server in the place of n8n, whose webhooks behave as a test says.

Of n8n's REST API it serves what the platform asks about runs, and credentials.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiohttp import web

from tests.integration.world.credentials import Credentials
from tests.integration.world.workflows import Workflows
from tests.support.ports import free_port

Behaviour = Callable[["Call"], Awaitable[web.StreamResponse]]

API_KEY = "the-api-key-of-this-n8n"


@dataclass(slots=True)
class Call:
    """A webhook call as it arrived."""

    request: web.Request
    method: str
    path: str
    headers: dict[str, str]
    body: Any

    @property
    def metadata(self) -> dict[str, str]:
        """What the platform tells the workflow about its run."""
        metadata: dict[str, str] = self.body["executionMetadata"]
        return metadata

    @property
    def execution_id(self) -> str:
        return self.metadata["executionId"]


@dataclass(slots=True)
class ScriptedN8n:
    """``calls`` are the webhook calls that arrived, ``executions`` the runs its REST API tells of."""

    port: int = field(default_factory=free_port)
    calls: list[Call] = field(default_factory=list)
    executions: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, dict[str, object]] = field(default_factory=dict)
    """Settings by workflow id, for workflows that only have to be told of."""
    workflows: Workflows = field(default_factory=Workflows)
    credentials: Credentials = field(default_factory=Credentials)
    _scripts: dict[str, list[Behaviour]] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def behave(self, path: str, *behaviours: Behaviour) -> None:
        """Let the calls of a webhook meet these behaviours, one after the other; the last one stays."""
        self._scripts[path] = list(behaviours)

    def calls_of(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    def record(
        self,
        execution_id: str | None,
        status: str,
        *,
        workflow_id: str,
        n8n_id: str | None = None,
        error: Mapping[str, object] | None = None,
        last_node: str | None = None,
    ) -> str:
        """Let n8n know a run, and return n8n's id of it."""
        n8n_id = n8n_id or str(len(self.executions) + 1000)
        metadata = {"executionMetadata": {"executionId": execution_id}} if execution_id else {}
        trigger = [{"data": {"main": [[{"json": {"body": metadata}}]]}}]
        result: dict[str, object] = {"runData": {"Webhook": trigger}, "lastNodeExecuted": last_node}
        if error is not None:
            result["error"] = error
        self.executions = [known for known in self.executions if known["id"] != n8n_id]
        self.executions.append(
            {
                "id": n8n_id,
                "workflowId": workflow_id,
                "status": status,
                "mode": "webhook",
                "startedAt": "2099-01-01T00:00:00.000Z",
                "customData": {},
                "data": {"resultData": result},
            }
        )
        return n8n_id

    async def come_up(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        self.add_routes(app)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    def add_routes(self, app: web.Application) -> None:
        """Say what it answers to."""
        app.router.add_get("/api/v1/executions", self._list)
        app.router.add_get("/api/v1/executions/{id}", self._one)
        app.router.add_post("/api/v1/executions/{id}/stop", self._stop)
        app.router.add_get("/api/v1/workflows/{id}", self._workflow)
        self.workflows.routes(app)
        app.router.add_route("OPTIONS", "/webhook/{path:.*}", self._probe)
        self.credentials.mount(app, API_KEY)
        app.router.add_route("*", "/webhook/{path:.*}", self._webhook)

    async def go_down(self) -> None:
        """Close the port and every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        call = Call(
            request,
            request.method,
            request.match_info["path"],
            dict(request.headers),
            json.loads(raw or b"null"),
        )
        self.calls.append(call)
        off = self.workflows.is_off(call.path)
        script = [not_registered] if off else self._scripts.get(call.path, [not_registered])
        behaviour = script.pop(0) if len(script) > 1 else script[0]
        return await behaviour(call)

    async def _probe(self, request: web.Request) -> web.Response:
        assert request.headers.get("Origin"), "without it n8n tells nothing"
        methods = self.workflows.registered(request.match_info["path"])
        return web.Response(status=204, headers={"Access-Control-Allow-Methods": ", ".join(methods)})

    async def _list(self, request: web.Request) -> web.Response:
        if request.headers.get("X-N8N-API-KEY") != API_KEY:
            return web.json_response({"message": "Unauthorized"}, status=401)
        workflow, status = request.query.get("workflowId"), request.query.get("status")
        going = ("new", "running")
        rows = [
            row
            for row in reversed(self.executions)
            if row["workflowId"] == workflow
            and (row["status"] == status if status else row["status"] not in going)
        ]
        return web.json_response({"data": rows, "nextCursor": None})

    async def _workflow(self, request: web.Request) -> web.Response:
        workflow_id, moment = request.match_info["id"], "2026-01-01T00:00:00.000Z"
        if request.headers.get("X-N8N-API-KEY") != API_KEY:
            return web.json_response({"message": "Unauthorized"}, status=401)
        if workflow_id in self.workflows.known:
            return web.json_response(self.workflows.known[workflow_id].state())
        if workflow_id not in self.settings:
            return web.json_response({"message": "Not Found"}, status=404)
        named = {
            "id": workflow_id,
            "name": "Main",
            "versionId": "v",
            "createdAt": moment,
            "updatedAt": moment,
        }
        return web.json_response({**named, "settings": self.settings[workflow_id]})

    async def _one(self, request: web.Request) -> web.Response:
        for row in self.executions:
            if row["id"] == request.match_info["id"]:
                return web.json_response(row)
        return web.json_response({"message": "Not Found"}, status=404)

    async def _stop(self, request: web.Request) -> web.Response:
        for row in self.executions:
            if row["id"] == request.match_info["id"]:
                if row["status"] not in ("new", "running", "waiting"):
                    return web.json_response(
                        {"message": "Only running executions can be stopped"}, status=500
                    )
                row["status"] = "canceled"
                return web.json_response({"status": "canceled", "finished": False, "mode": "webhook"})
        return web.json_response({"message": "Not Found"}, status=404)


async def started(call: Call) -> web.StreamResponse:
    """Start the run, which reports nothing by itself."""
    return web.json_response({"message": "Workflow was started"})


async def not_registered(call: Call) -> web.StreamResponse:
    message = f'The requested webhook "{call.method} {call.path}" is not registered.'
    return web.json_response({"code": 404, "message": message}, status=404)


async def forbidden(call: Call) -> web.StreamResponse:
    headers = {"WWW-Authenticate": 'Basic realm="Webhook"'}
    return web.Response(text="Authorization data is wrong!", status=403, headers=headers)


async def fails(call: Call) -> web.StreamResponse:
    return web.json_response({"message": "Error in workflow"}, status=500)


async def starts_up(call: Call) -> web.StreamResponse:
    """Answer as n8n does while it starts: nothing ran."""
    return web.Response(text="n8n is starting up. Please wait")


async def hangs(call: Call) -> web.StreamResponse:
    """Take the call and answer only long after everybody lost interest."""
    await asyncio.sleep(600)
    return web.Response()


async def breaks_off(call: Call) -> web.StreamResponse:
    """Take the whole call, then close the connection without a word."""
    assert call.request.transport is not None
    call.request.transport.close()
    return web.Response()


def reporting(endpoint: str = "submitWorkflowResult", **report: object) -> Behaviour:
    """Run a workflow that reports, and answers when it has ended, as with ``lastNode``."""

    async def behaviour(call: Call) -> web.StreamResponse:
        base = call.metadata["callbackUrl"].rpartition("/")[0]
        secret = {name: call.metadata[name] for name in ("executionId", "executionSecret")}
        # Loading certificates takes longer than everything else a run does here.
        async with httpx.AsyncClient(verify=False) as http:
            answer = await http.post(f"{base}/{endpoint}", json={**secret, **report})
        assert answer.status_code == 200, answer.text
        return web.json_response({"success": True})

    return behaviour
