"""Workflows as n8n keeps them: drafts, versions, what is published, what runs a little later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import orjson

Json = dict[str, object]

_MOMENT = "2026-01-01T00:00:00.000Z"
_WEBHOOK = "n8n-nodes-base.webhook"
_CALL = "n8n-nodes-base.executeWorkflow"


class Refusal(Exception):
    """n8n refuses, with a status and words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Version:
    """Nodes and connections, which never change."""

    id: str
    nodes: list[Json]
    connections: Json

    def webhooks(self) -> Iterator[tuple[str, str]]:
        """Yield method and path of every webhook."""
        for node in self.nodes:
            parameters = node["parameters"]
            if node["type"] == _WEBHOOK and isinstance(parameters, dict):
                yield str(parameters.get("httpMethod", "GET")), str(parameters["path"])

    def calls(self) -> Iterator[str]:
        """Yield the ids of the workflows it calls."""
        for node in self.nodes:
            parameters = node["parameters"]
            if node["type"] == _CALL and isinstance(parameters, dict):
                yield str(parameters["workflowId"]["value"])


@dataclass(slots=True)
class Workflow:
    """A workflow. ``active`` was asked to be live, ``live`` is what runs."""

    id: str
    name: str
    settings: Json
    draft: Version
    active: Version | None = None
    live: Version | None = None
    versions: dict[str, Version] = field(default_factory=dict)

    def state(self) -> Json:
        """Return what n8n's API tells of it."""
        return {
            "id": self.id,
            "name": self.name,
            "versionId": self.draft.id,
            "activeVersionId": self.active.id if self.active else None,
            "isArchived": False,
            "triggerCount": 1,
            "createdAt": _MOMENT,
            "updatedAt": _MOMENT,
            "nodes": self.draft.nodes,
            "connections": self.draft.connections,
            "settings": self.settings,
        }


class Workflows:
    """All workflows of one n8n, in memory."""

    def __init__(self) -> None:
        self.known: dict[str, Workflow] = {}
        self._methods: dict[str, dict[str, str]] = {}
        """Path → method → workflow id, of what runs."""

    def of(self, workflow_id: str) -> Workflow:
        """Return a workflow.

        Raises:
            Refusal: there is none.
        """
        if (workflow := self.known.get(workflow_id)) is None:
            raise Refusal(404, "Not Found")
        return workflow

    def create(self, body: Mapping[str, object]) -> Workflow:
        """Return a new workflow, a draft."""
        version = _version(body)
        workflow = Workflow(uuid4().hex[:16], str(body["name"]), dict(_settings(body)), version)
        workflow.versions[version.id] = version
        self.known[workflow.id] = workflow
        return workflow

    def save(self, workflow: Workflow, body: Mapping[str, object]) -> None:
        """Replace the draft; name and settings take effect at once, and settings that are not named stay."""
        version = _version(body)
        if (version.nodes, version.connections) != (workflow.draft.nodes, workflow.draft.connections):
            workflow.draft = workflow.versions[version.id] = version
        workflow.name = str(body["name"])
        workflow.settings = {**workflow.settings, **_settings(body)}

    def publish(self, workflow: Workflow, version_id: str | None) -> Version:
        """Ask for a version to be live; :meth:`apply` makes it so.

        Raises:
            Refusal: there is no such version, or it could not run.
        """
        version = workflow.versions.get(version_id or workflow.draft.id)
        if version is None:
            raise Refusal(404, "Version not found")
        for called in version.calls():
            other = self.known.get(called)
            if other is None or other.active is None:
                raise Refusal(400, f"Node references workflow {called} which is not published.")
        for method, path in version.webhooks():
            if self._methods.get(path, {}).get(method, workflow.id) != workflow.id:
                raise Refusal(409, "There is a conflict with one of the webhooks.")
        workflow.active = version
        return version

    def apply(self, workflow: Workflow, version: Version | None) -> None:
        """Run a version, or nothing."""
        for method, path in workflow.live.webhooks() if workflow.live else ():
            methods = self._methods.get(path, {})
            methods.pop(method, None)
            if not methods:
                self._methods.pop(path, None)
        workflow.live = version
        for method, path in version.webhooks() if version else ():
            self._methods.setdefault(path, {})[method] = workflow.id

    def delete(self, workflow: Workflow) -> None:
        """Forget a workflow.

        Raises:
            Refusal: it is published.
        """
        if workflow.active is not None:
            raise Refusal(409, "Cannot delete a published workflow. Unpublish it first.")
        self.apply(workflow, None)
        del self.known[workflow.id]

    def named(self, part: str) -> list[Workflow]:
        """Return the workflows whose name contains a text."""
        return [workflow for workflow in self.known.values() if part.lower() in workflow.name.lower()]

    def methods(self, path: str) -> Sequence[str]:
        """Return the methods that calls of a path are taken with."""
        return sorted(self._methods.get(path, {}))

    def copy(self, ids: Sequence[str], texts: Mapping[str, str]) -> Mapping[str, Workflow]:
        """Return copies of workflows that run, by the id of their original, with texts and ids replaced."""
        replaced = dict(texts) | {workflow_id: uuid4().hex[:16] for workflow_id in ids}
        copies: dict[str, Workflow] = {}
        for workflow_id in ids:
            original = self.of(workflow_id)
            body: Json = orjson.loads(_replaced(orjson.dumps(original.state()).decode(), replaced))
            version = _version(body)
            copy = Workflow(replaced[workflow_id], str(body["name"]), dict(_settings(body)), version, version)
            copy.versions[version.id] = version
            self.known[copy.id] = copies[workflow_id] = copy
            self.apply(copy, version)
        return copies


def _version(body: Mapping[str, object]) -> Version:
    nodes, connections = body["nodes"], body["connections"]
    if not isinstance(nodes, list) or not isinstance(connections, dict):
        raise Refusal(400, "request body must have nodes and connections")
    return Version(str(uuid4()), nodes, connections)


def _settings(body: Mapping[str, object]) -> Mapping[str, object]:
    settings = body.get("settings", {})
    return settings if isinstance(settings, dict) else {}


def _replaced(text: str, texts: Mapping[str, str]) -> str:
    for old, new in texts.items():
        text = text.replace(old, new)
    return text
