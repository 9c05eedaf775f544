"""A model of n8n: it keeps executions, takes each webhook call once, and comes back from a restart.

An execution is written down before its first node runs. One that waits for its turn is begun after a
restart; one that ran is *crashed* then. A call that was not written down yet is forgotten, and its caller
sees the connection break off.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from tests.chaos.histories.faults import Faults
from tests.chaos.histories.processes import Lost
from tests.chaos.histories.virtual import VirtualLoop, VirtualSources

Ask = Callable[[str, str, Mapping[str, Any], Mapping[str, str]], Awaitable[tuple[int, Any]]]
Tell = Callable[..., None]
PORT = 5678
_TRIES = 3
_HELD_SECONDS = 20.0


@dataclass(eq=False)
class Kept:
    """An execution as n8n's database has it."""

    id: str
    workflow_id: str
    status: str
    body: dict[str, Any]
    started_at: str
    error: dict[str, Any] | None = None
    work: asyncio.Task[None] | None = None

    def row(self, data: bool) -> dict[str, Any]:
        """Return it as n8n's API shows it."""
        row: dict[str, Any] = {"id": self.id, "workflowId": self.workflow_id, "status": self.status}
        row |= {"mode": "webhook", "startedAt": self.started_at}
        if data:
            trigger = [{"data": {"main": [[{"json": {"body": self.body}}]]}}]
            result: dict[str, Any] = {"runData": {"Webhook": trigger}}
            if self.error:
                result |= {"error": self.error, "lastNodeExecuted": "Work"}
            row |= {"data": {"resultData": result}, "customData": {}}
        return row


@dataclass
class N8nModel:
    """One n8n. ``port`` and ``url`` are what installations are told."""

    loop: VirtualLoop
    sources: VirtualSources
    faults: Faults
    ask: Ask
    tell: Tell
    organization_id: str = ""
    webhook_secret: str = ""
    port: int = PORT
    url: str = f"http://127.0.0.1:{PORT}"
    up: bool = True
    starting: bool = False
    life: int = 0
    kept: dict[str, Kept] = field(default_factory=dict)
    workflows: dict[str, str] = field(default_factory=dict)
    """n8n's workflow ids by webhook path"""
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def restart(self, seconds: float) -> None:
        """Be killed, and start again after that time."""
        self.tell("n8n killed")
        self.up, self.life = False, self.life + 1
        for task in self._running:
            task.cancel()
        self._running.clear()
        await asyncio.sleep(seconds)
        self.up = self.starting = True
        await asyncio.sleep(self.faults.between(0, 3))
        for kept in self.kept.values():
            if kept.status == "running":
                kept.status = "crashed"
        self.starting = False
        self.tell("n8n started")
        for kept in [kept for kept in self.kept.values() if kept.status == "new"]:
            self._go(kept, self._run(kept))

    def _go(self, kept: Kept, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self.loop.create_task(work)
        kept.work = task
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def webhook(self, path: str, body: bytes, sent: Callable[[], Awaitable[None]]) -> httpx.Response:
        """Answer the call of a webhook; ``sent`` when the whole request has come."""
        faults = self.faults
        if not self.up or faults.strikes("n8n: not reached"):
            raise httpx.ConnectError("refused")
        await sent()
        if self.starting:
            return httpx.Response(200, text="n8n is starting up. Please wait")
        if path not in self.workflows:
            message = f'The requested webhook "POST {path}" is not registered.'
            return httpx.Response(404, json={"message": message})
        if faults.strikes("n8n: broke off before it had it"):
            raise httpx.ReadError("reset")
        life = self.life
        await asyncio.sleep(faults.between(0.001, 0.5))
        if life != self.life:
            raise httpx.ReadError("reset")
        document = orjson.loads(body)
        metadata = document["executionMetadata"]
        kept = Kept(str(next(self._numbers)), self.workflows[path], "new", document, self._moment())
        self.kept[kept.id] = kept
        self.tell("taken", execution=metadata["executionId"], n8n=kept.id)
        run = self._go(kept, self._begin(kept))
        if faults.strikes("n8n: answer lost"):
            raise httpx.ReadError("reset")
        late = faults.strikes("n8n: answers late")
        await self._until(run, 120 if late else faults.between(0, 2))
        if life != self.life:
            raise httpx.ReadError("reset")
        if kept.status == "error" and document.get("answers") == "when it has ended":
            return httpx.Response(500, json={"message": "Error in workflow"})
        return httpx.Response(200, json={"message": "Workflow was started"})

    async def _until(self, run: asyncio.Task[None], seconds: float) -> None:
        await asyncio.wait({run}, timeout=seconds)

    async def _begin(self, kept: Kept) -> None:
        if self.faults.strikes("n8n: held back"):
            await asyncio.sleep(self.faults.between(0, _HELD_SECONDS))
        await self._run(kept)

    async def _run(self, kept: Kept) -> None:
        kept.status = "running"
        metadata, plan = kept.body["executionMetadata"], kept.body
        execution_id = metadata["executionId"]
        self.tell("started", execution=execution_id, n8n=kept.id, key=plan.get("key"))
        await asyncio.sleep(float(plan["seconds"]))
        failed = plan["ends"] == "throws"
        for kind, value in plan["reports"]:
            answered = await self._report(metadata, kept.id, kind, value)
            # The last node of a workflow that is told no fails, and so does its execution.
            failed = failed or not 200 <= answered < 300
        kept.status = "error" if failed else "success"
        if failed:
            kept.error = {"message": "The work failed", "node": {"name": "Work"}}
            for _ in range(plan["captures"]):
                await self._capture(kept, execution_id)

    async def _report(self, metadata: Mapping[str, Any], n8n_id: str, kind: str, value: Any) -> int:
        execution_id = metadata["executionId"]
        body = {"executionId": execution_id, "executionSecret": metadata["executionSecret"]}
        body["n8nExecutionId"] = n8n_id
        said = (
            {"resultData": value}
            if kind == "result"
            else {"errorMessage": value, "errorType": "node_failure"}
        )
        name = "submitWorkflowResult" if kind == "result" else "submitWorkflowError"
        self.tell("reporting", execution=execution_id, kind=kind, value=value)
        answered = await self._told(name, {**body, **said}, {})
        self.tell("reported", execution=execution_id, kind=kind, value=value, answer=answered)
        return answered

    async def _capture(self, kept: Kept, execution_id: str) -> None:
        raw = {
            "execution": {"id": kept.id, "error": kept.error, "lastNodeExecuted": "Work", "mode": "webhook"},
            "workflow": {"id": kept.workflow_id, "name": "Main"},
        }
        body = {"organizationId": self.organization_id, "report": raw}
        headers = {"X-Codika-Webhook-Auth": self.webhook_secret}
        answered = await self._told("captureWorkflowError", body, headers)
        self.tell("captured", execution=execution_id, answer=answered)

    async def _told(self, name: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> int:
        """Call back, up to three times while no answer comes; return the last status, 0 for none."""
        answered = 0
        for _ in range(_TRIES):
            answered = 0
            if not self.faults.strikes("report: not sent"):
                try:
                    answered, _said = await self.ask("POST", f"/{name}", body, headers)
                except Lost:
                    answered = 0
                if self.faults.strikes("report: answer lost"):
                    answered = 0
            if 0 < answered < 500:
                break
            await asyncio.sleep(1)
        return answered

    def api(self, request: httpx.Request) -> httpx.Response:
        """Answer a call of the REST API."""
        if not self.up or self.faults.strikes("n8n: not reached"):
            raise httpx.ConnectError("refused")
        if self.starting:
            return httpx.Response(404, text="<html>Cannot GET</html>")
        if self.faults.strikes("n8n: api refuses"):
            return httpx.Response(502, text="<html>Bad gateway</html>")
        what, _, identifier = request.url.path.removeprefix("/api/v1/").partition("/")
        if what == "workflows":
            moment = self._moment()
            named = {
                "id": identifier,
                "name": "Main",
                "versionId": "v",
                "createdAt": moment,
                "updatedAt": moment,
            }
            return httpx.Response(200, json={**named, "settings": {}})
        if identifier.endswith("/stop"):
            return self._stop(identifier.removesuffix("/stop"))
        if identifier:
            kept = self.kept.get(identifier)
            found = httpx.Response(200, json=kept.row(True)) if kept else None
            return found or httpx.Response(404, json={"message": "Not Found"})
        return httpx.Response(200, json={"data": self._listed(request.url.params), "nextCursor": None})

    def _stop(self, identifier: str) -> httpx.Response:
        kept = self.kept.get(identifier)
        if kept is None or kept.work is None or kept.status not in ("new", "running"):
            return httpx.Response(404, json={"message": "Not Found"})
        kept.status = "canceled"
        kept.work.cancel()
        self.tell("stopped", execution=kept.body["executionMetadata"]["executionId"], n8n=identifier)
        return httpx.Response(200, json=kept.row(False))

    def _listed(self, params: httpx.QueryParams) -> list[dict[str, Any]]:
        status, workflow = params.get("status"), params.get("workflowId")
        rows = []
        for kept in reversed(self.kept.values()):
            fits = kept.status == status if status else kept.status not in ("new", "running")
            if fits and kept.workflow_id == workflow:
                rows.append(kept.row(params.get("includeData") == "true"))
        return rows

    def _moment(self) -> str:
        return self.sources.now().isoformat().replace("+00:00", "Z")
