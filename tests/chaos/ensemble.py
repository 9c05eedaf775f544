"""A small use case whose runs tell which version of every workflow they went through.

Two parents that are called over HTTP, two sub-workflows: ``alpha`` calls both, ``beta`` one of them. A
version may have a third parent with a sub-workflow of its own. Every workflow answers with the mark it was
deployed with.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

from shared.validation.engine.source import Source

Json = dict[str, object]

CALLS: Mapping[str, tuple[str, ...]] = {
    "leaf-a": (),
    "leaf-b": (),
    "alpha": ("leaf-a", "leaf-b"),
    "beta": ("leaf-b",),
    "leaf-c": (),
    "gamma": ("leaf-c",),
}
"""Workflow → the sub-workflows it calls."""
FOUR = ("leaf-a", "leaf-b", "alpha", "beta")
SIX = tuple(CALLS)

_PATH = "{{PROCDATA_PROCESS_ID_ATADCORP}}/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}"
_URL = "{{ORGSECRET_N8N_BASE_URL_TERCESORG}}/webhook/" + _PATH
_QUOTED_PARAMETER = re.compile(r'"(\{\{INSTPARM_[A-Z0-9_]+_MRAPTSNI\}\})"')


@dataclass(frozen=True, slots=True)
class Ensemble:
    """One version of the use case. ``settings`` and ``extra`` nodes are per workflow."""

    title: str
    mark: str
    names: tuple[str, ...] = FOUR
    settings: Mapping[str, Json] = field(default_factory=dict)
    extra: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)

    @property
    def parents(self) -> list[str]:
        return [name for name in self.names if CALLS[name]]

    def configuration(self) -> Json:
        """Return the configuration to deploy."""
        return {
            "title": self.title,
            "subtitle": "Tells its version",
            "description": "Answers with the version of every workflow a run went through.",
            "tags": [],
            "integrationUids": [],
            "icon": "Bomb",
            "workflows": [self._workflow(name) for name in self.names],
        }

    def _workflow(self, name: str) -> Json:
        workflow: Json = {
            "workflowTemplateId": name,
            "workflowId": name,
            "workflowName": name.title(),
            "triggers": [_http_trigger(name) if CALLS[name] else _sub_trigger(name)],
            "outputSchema": [],
            "cost": 1,
        }
        put_document(workflow, self._document(name))
        return workflow

    def _document(self, name: str) -> Json:
        nodes = [*(self._parent(name) if CALLS[name] else self._leaf())]
        return {
            "name": name,
            "nodes": [*nodes, *self.extra.get(name, ())],
            "connections": {
                str(node["name"]): {"main": [[{"node": after["name"], "type": "main", "index": 0}]]}
                for node, after in pairwise(nodes)
            },
            "settings": {"executionOrder": "v1", **self.settings.get(name, {})},
        }

    def _leaf(self) -> Iterable[Json]:
        yield _node(
            "Called",
            "n8n-nodes-base.executeWorkflowTrigger",
            1.1,
            {
                "inputSource": "workflowInputs",
                "workflowInputs": {"values": [{"name": "marker", "type": "string"}]},
            },
        )
        yield self._mark()

    def _parent(self, name: str) -> Iterable[Json]:
        called = CALLS[name]
        yield _webhook(f"{_PATH}/{name}", "lastNode" if name == "alpha" else "onReceived")
        yield _init(name)
        yield self._mark()
        for sub in called:
            yield _call(sub)
        answers = ", ".join(f"'{sub}': $('{sub}').first().json.mark" for sub in called)
        result = f"={{{{ ({{ '{name}': $('Mark').first().json.mark, {answers} }}) }}}}"
        parameters: Json = {"resource": "workflowOutputs", "operation": "submitResult", "resultData": result}
        yield _node("Submit", "n8n-nodes-codika.codika", 1, parameters)

    def _mark(self) -> Json:
        assignment = {"id": "mark", "name": "mark", "type": "string", "value": self.mark}
        parameters: Json = {
            "mode": "manual",
            "assignments": {"assignments": [assignment]},
            "includeOtherFields": False,
            "options": {},
        }
        return _node("Mark", "n8n-nodes-base.set", 3.4, parameters)


def put_document(workflow: Json, document: Mapping[str, object]) -> None:
    """Make a document the file of a workflow, with parameters as authors write them: without quotes."""
    text = _QUOTED_PARAMETER.sub(r"\1", json.dumps(document))
    workflow["n8nWorkflowJsonBase64"] = base64.b64encode(text.encode()).decode()


def document_of(workflow: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document in the file of a workflow."""
    text = base64.b64decode(workflow["n8nWorkflowJsonBase64"]).decode()
    return cast(dict[str, Any], Source("", text).data)


def mark_of(nodes: object) -> str:
    """Return the mark in the nodes of a workflow as n8n keeps them."""
    assert isinstance(nodes, list)
    (node,) = [node for node in nodes if node["name"] == "Mark"]
    return str(node["parameters"]["assignments"]["assignments"][0]["value"])


def webhook_on(path: str) -> Json:
    """Return another webhook below the installation's own paths."""
    return {**_webhook(f"{_PATH}/{path}", "onReceived"), "id": path, "name": path}


def unknown_node() -> Json:
    """Return a node that n8n saves but refuses to publish."""
    return _node("Nobody knows me", "n8n-nodes-base.doesNotExist", 1, {})


def _node(name: str, kind: str, version: float, parameters: Json) -> Json:
    return {
        "id": name.lower().replace(" ", "-"),
        "name": name,
        "type": kind,
        "typeVersion": version,
        "position": [0, 0],
        "parameters": parameters,
    }


def _webhook(path: str, response: str) -> Json:
    parameters: Json = {
        "httpMethod": "POST",
        "path": path,
        "authentication": "headerAuth",
        "responseMode": response,
        "options": {},
    }
    credential = {
        "id": "{{ORGSECRET_WEBHOOK_AUTH_CRED_ID_TERCESORG}}",
        "name": "{{ORGSECRET_WEBHOOK_AUTH_CRED_NAME_TERCESORG}}",
    }
    node = _node("Webhook", "n8n-nodes-base.webhook", 2, parameters)
    return {**node, "webhookId": path.rpartition("/")[2], "credentials": {"httpHeaderAuth": credential}}


def _init(name: str) -> Json:
    parameters: Json = {
        "resource": "initializeExecution",
        "operation": "initWorkflow",
        "memberSecret": "{{MEMSECRT_EXECUTION_AUTH_TRCESMEM}}",
        "organizationId": "{{USERDATA_ORGANIZATION_ID_ATADRESU}}",
        "userId": "{{USERDATA_USER_ID_ATADRESU}}",
        "processInstanceId": "{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}",
        "workflowId": name,
        "triggerType": "http",
    }
    return _node("Init", "n8n-nodes-codika.codika", 1, parameters)


def _call(sub: str) -> Json:
    parameters: Json = {
        "workflowId": {"__rl": True, "mode": "id", "value": "{{SUBWKFL_" + sub + "_LFKWBUS}}"},
        "workflowInputs": {
            "mappingMode": "defineBelow",
            "value": {"marker": "={{ $('Webhook').first().json.body.marker }}"},
        },
        "mode": "once",
        "options": {"waitForSubWorkflow": True},
    }
    return {**_node("Call", "n8n-nodes-base.executeWorkflow", 1.2, parameters), "name": sub, "id": sub}


def _http_trigger(name: str) -> Json:
    return {
        "triggerId": f"http-{name}",
        "type": "http",
        "url": f"{_URL}/{name}",
        "method": "POST",
        "title": name,
        "description": "Send a marker.",
        "inputSchema": [],
    }


def _sub_trigger(name: str) -> Json:
    callers = [caller for caller, called in CALLS.items() if name in called]
    return {
        "triggerId": f"sub-{name}",
        "type": "subworkflow",
        "inputSchema": [{"key": "marker", "type": "string"}],
        "calledBy": callers,
    }
