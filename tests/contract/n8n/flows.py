"""Small workflows for the tests."""

from __future__ import annotations

import json
from itertools import pairwise
from uuid import NAMESPACE_URL, uuid5

from shared.n8n.workflows import JsonObject, WorkflowBody


def node(name: str, kind: str, version: float, parameters: JsonObject, **more: object) -> JsonObject:
    return {
        "id": str(uuid5(NAMESPACE_URL, name)),
        "name": name,
        "type": kind if "." in kind else f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "position": [0, 0],
        "parameters": parameters,
        **more,
    }


def webhook(
    path: str, *, method: str = "POST", mode: str = "lastNode", credential: str | None = None
) -> JsonObject:
    parameters: JsonObject = {"httpMethod": method, "path": path, "responseMode": mode, "options": {}}
    more: JsonObject = {"webhookId": str(uuid5(NAMESPACE_URL, path))}
    if credential is not None:
        parameters["authentication"] = "headerAuth"
        more["credentials"] = {"httpHeaderAuth": {"id": credential, "name": "webhook auth"}}
    return node("Webhook", "webhook", 2, parameters, **more)


def answer(value: object) -> JsonObject:
    return node(
        "Answer", "set", 3.4, {"mode": "raw", "jsonOutput": json.dumps({"answer": value}), "options": {}}
    )


def code(javascript: str) -> JsonObject:
    return node("Code", "code", 2, {"jsCode": javascript})


def chain(*nodes: JsonObject) -> JsonObject:
    links = pairwise(nodes)
    return {
        str(left["name"]): {"main": [[{"node": right["name"], "type": "main", "index": 0}]]}
        for left, right in links
    }


def workflow(name: str, *nodes: JsonObject, beside: tuple[JsonObject, ...] = ()) -> WorkflowBody:
    """Nodes in a row, and others beside them without connections."""
    return WorkflowBody(
        name=name,
        nodes=[*nodes, *beside],
        connections=chain(*nodes),
        settings={"executionOrder": "v1"},
    )
