"""Workflows in the scripted n8n: drafts, what is published, and the webhooks that follow from it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from shared.n8n.liveness import marker_node

MOMENT = "2026-01-01T00:00:00.000Z"


@dataclass(slots=True)
class Workflow:
    """A workflow as n8n keeps it. ``calls`` are the ids of its sub-workflows, ``webhook`` its POST path."""

    id: str
    name: str
    version_id: str
    active_version_id: str | None
    webhook: str | None = None
    calls: tuple[str, ...] = ()
    answers: bool = True
    """Whether n8n has applied what it was asked for last: its webhooks are there, or gone."""

    @property
    def marker(self) -> str:
        return f"{self.id}/live/{self.version_id}"

    @property
    def registered(self) -> dict[str, str]:
        """The webhooks n8n takes calls to now: method by path."""
        on = (self.active_version_id is not None) is self.answers
        webhook = {self.webhook: "POST"} if self.webhook else {}
        return {self.marker: "HEAD", **webhook} if on else {}

    def state(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "versionId": self.version_id,
            "activeVersionId": self.active_version_id,
            "createdAt": MOMENT,
            "updatedAt": MOMENT,
            "settings": {},
        }


@dataclass(slots=True)
class Workflows:
    """The workflow part of the scripted n8n's REST API.

    ``log`` lists what was published and unpublished in order; ``refusals`` holds the answers to such calls by
    action and workflow id; ``obeys_for`` is the number of such calls after which the connection breaks.
    """

    known: dict[str, Workflow] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    refusals: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    obeys_for: int | None = None
    lag_seconds: float = 0.05

    def add(self, workflow: Workflow) -> None:
        self.known[workflow.id] = workflow

    def of(self, *ids: str) -> list[tuple[str, str]]:
        """The part of the log that is about these workflows."""
        return [entry for entry in self.log if entry[1] in ids]

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/workflows/{id}/versions/{version}", self._version)
        app.router.add_post("/api/v1/workflows/{id}/{action:publish|unpublish}", self._switch)

    def registered(self, path: str) -> list[str]:
        """The methods of a webhook path."""
        return [w.registered[path] for w in self.known.values() if path in w.registered]

    def is_off(self, path: str) -> bool:
        """Whether a path is a known workflow's that does not answer."""
        return any(w.webhook == path and path not in w.registered for w in self.known.values())

    async def _version(self, request: web.Request) -> web.Response:
        workflow = self.known.get(request.match_info["id"])
        if workflow is None or workflow.version_id != request.match_info["version"]:
            return web.json_response({"message": "Version not found"}, status=404)
        nodes = [marker_node(workflow.marker, "wh1", "Webhook auth")]
        return web.json_response({"versionId": workflow.version_id, "nodes": nodes, "connections": {}})

    async def _switch(self, request: web.Request) -> web.StreamResponse:
        action, workflow = request.match_info["action"], self.known.get(request.match_info["id"])
        if self.obeys_for is not None and self.obeys_for <= 0:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if workflow is None:
            return web.json_response({"message": "Workflow not found"}, status=404)
        if (action, workflow.id) in self.refusals:
            status, message = self.refusals[action, workflow.id]
            return web.json_response({"message": message}, status=status)
        if action == "publish" and (missing := self._unpublished(workflow.calls)):
            said = f"Cannot publish workflow: Node references workflow {missing} which is not published"
            return web.json_response({"message": said}, status=400)
        if self.obeys_for is not None:
            self.obeys_for -= 1
        wanted = (await request.json()).get("versionId", workflow.version_id)
        before = workflow.active_version_id
        workflow.active_version_id = wanted if action == "publish" else None
        if before != workflow.active_version_id:
            workflow.answers = False
            asyncio.get_running_loop().call_later(self.lag_seconds, _apply, workflow)
        self.log.append((action, workflow.id))
        return web.json_response(workflow.state())

    def _unpublished(self, ids: tuple[str, ...]) -> str | None:
        return next((i for i in ids if i not in self.known or not self.known[i].active_version_id), None)


def _apply(workflow: Workflow) -> None:
    workflow.answers = True
