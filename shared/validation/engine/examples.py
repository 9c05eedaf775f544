"""Workflows that rules are shown with: right in all but what is asked for."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.validation.engine.rule import Example

ERROR_WORKFLOW = "{{ORGSECRET_ERROR_WORKFLOW_ID_TERCESORG}}"
WEBHOOK_CREDENTIAL = {
    "id": "{{ORGSECRET_WEBHOOK_AUTH_CRED_ID_TERCESORG}}",
    "name": "{{ORGSECRET_WEBHOOK_AUTH_CRED_NAME_TERCESORG}}",
}
SETTINGS = {"executionOrder": "v1", "errorWorkflow": ERROR_WORKFLOW}

Json = Mapping[str, Any]


def node(name: str, type_: str, parameters: Json | None = None, **fields: Any) -> dict[str, Any]:
    """Return a node; a type without a package is one of n8n's own."""
    full = type_ if "." in type_ else f"n8n-nodes-base.{type_}"
    key = "-".join(name.lower().split())
    base = {"id": key, "name": name, "type": full, "typeVersion": 1, "position": [0, 0]}
    return {**base, "parameters": dict(parameters or {}), **fields}


def codika(name: str, operation: str) -> dict[str, Any]:
    """Return one of the platform's own nodes."""
    return node(name, "n8n-nodes-codika.codika", {"operation": operation})


def webhook(name: str = "Orders arrive", **fields: Any) -> dict[str, Any]:
    """Return a Webhook node that is secured as the platform demands."""
    parameters = {"httpMethod": "POST", "path": "orders", "authentication": "headerAuth"}
    secured = {"webhookId": "orders-arrive", "credentials": {"httpHeaderAuth": WEBHOOK_CREDENTIAL}}
    return node(name, "webhook", parameters, **{**secured, **fields})


INIT = codika("Codika Init", "initWorkflow")
SUBMIT = codika("Submit Result", "submitResult")


def chain(*nodes: Mapping[str, Any], settings: Json = SETTINGS, **top: Any) -> str:
    """Return the text of a workflow whose nodes follow one another."""
    pairs = itertools.pairwise(nodes)
    edges = {str(one["name"]): [str(other["name"])] for one, other in pairs}
    return written(nodes, edges, settings=settings, **top)


def written(
    nodes: Sequence[Json],
    edges: Mapping[str, Sequence[str]],
    forks: Mapping[str, Sequence[str]] | None = None,
    settings: Json = SETTINGS,
    **top: Any,
) -> str:
    """Return the text of a workflow; connections are by name.

    ``edges`` leave by the first main output; of ``forks`` each by an output of its own.
    """
    outputs = {source: [list(targets)] for source, targets in edges.items()}
    outputs |= {source: [[target] for target in targets] for source, targets in (forks or {}).items()}
    connections = {
        source: {"main": [[{"node": to, "type": "main", "index": 0} for to in targets] for targets in own]}
        for source, own in outputs.items()
    }
    workflow = {
        "name": "Example",
        "nodes": list(nodes),
        "connections": connections,
        "settings": dict(settings),
        **top,
    }
    return json.dumps(workflow, ensure_ascii=False, indent=2) + "\n"


def parent(*steps: Mapping[str, Any], settings: Json = SETTINGS, **top: Any) -> str:
    """Return a workflow that is called over HTTP, does the steps, and submits its result."""
    return chain(webhook(), INIT, *steps, SUBMIT, settings=settings, **top)


def one(text: Callable[[], str]) -> Example:
    """Return an example of one workflow, which is made when it is shown."""
    return lambda: {"workflow.json": text()}
