"""What n8n's API takes as a workflow, and nothing else (n8n answers 400 to unknown keys)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TypedDict

Node = dict[str, object]


class WorkflowBody(TypedDict):
    """Body of n8n's create and update calls. ``staticData`` is n8n's own and stays out."""

    name: str
    nodes: list[Node]
    connections: dict[str, object]
    settings: dict[str, object]


NODE_KEYS = frozenset(
    {
        "id",
        "name",
        "type",
        "typeVersion",
        "position",
        "parameters",
        "credentials",
        "webhookId",
        "disabled",
        "notes",
        "notesInFlow",
        "executeOnce",
        "alwaysOutputData",
        "retryOnFail",
        "maxTries",
        "waitBetweenTries",
        "continueOnFail",
        "onError",
    }
)
"""Keys of a node n8n accepts and a use case may set."""

SETTINGS_KEYS = frozenset(
    {
        "executionOrder",
        "errorWorkflow",
        "timezone",
        "callerPolicy",
        "callerIds",
        "executionTimeout",
        "saveDataErrorExecution",
        "saveDataSuccessExecution",
        "saveExecutionProgress",
        "saveManualExecutions",
    }
)
"""Settings a use case may have. Not among them: ``availableInMCP`` (would expose the workflow to whoever
speaks MCP to n8n), ``redactionPolicy`` (would hide runs from the platform)."""


def type_name(node: Mapping[str, object]) -> str:
    """Return a node's type without its package, as n8n compares it."""
    return str(node.get("type", "")).rpartition(".")[2]


def parameters(node: Mapping[str, object]) -> Mapping[str, object]:
    """Return a node's parameters; empty when it has none."""
    given = node.get("parameters")
    return given if isinstance(given, Mapping) else {}


def is_subworkflow(nodes: list[Node]) -> bool:
    """Return whether other workflows can call the one with these nodes."""
    return any(type_name(node).lower() == "executeworkflowtrigger" for node in nodes)


def content_hash(body: WorkflowBody) -> str:
    """Return the SHA-256 (hex) of the body's canonical JSON: equal hashes mean nothing to deploy."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
