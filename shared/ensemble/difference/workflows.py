"""Differences of one workflow: its file, its triggers, what it takes and returns."""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared.ensemble.body import SETTINGS_KEYS
from shared.ensemble.difference.nodes import (
    ConnectionChange,
    NodeChange,
    connection_changes,
    node_changes,
)
from shared.ensemble.difference.values import Change, Kind, changes, changes_of
from shared.json_text import with_whole_escapes
from shared.model.document import Document
from shared.model.tokens import find, inside_strings

Json = Mapping[str, object]

_STATED = (
    "workflowName",
    "markdownInfo",
    "knowledgeBaseAccess",
    "integrationUids",
    "workflowCategory",
    "cost",
    "costEstimationForLLMTokens",
)


class WorkflowChange(Document):
    """A workflow that differs.

    ``details`` are what the configuration states of it, ``interface`` its input and output fields. ``file``
    is there when the file differs and cannot be read as a workflow: then only that much is known.
    """

    workflow_id: str
    workflow_name: str
    kind: Kind
    nodes: list[NodeChange] = []
    connections: list[ConnectionChange] = []
    settings: list[Change] = []
    triggers: list[Change] = []
    interface: list[Change] = []
    details: list[Change] = []
    file: str | None = None


def workflow_change(
    workflow_id: str, before: Json, after: Json, old_text: str, new_text: str
) -> WorkflowChange | None:
    """Return how a workflow differs, given what the configurations state of it and both files."""
    change = WorkflowChange(
        workflow_id=workflow_id,
        workflow_name=str(after.get("workflowName", workflow_id)),
        kind=Kind.CHANGED,
        triggers=changes(_triggers(before), _triggers(after), "/triggers"),
        interface=[*changes(_inputs(before), _inputs(after)), *changes_of(before, after, ["outputSchema"])],
        details=changes_of(before, after, _STATED),
    )
    if old_text != new_text:
        _compare_files(change, _parsed(old_text), _parsed(new_text))
    is_same = not (change.triggers or change.interface or change.details or change.file)
    return None if is_same and not (change.nodes or change.connections or change.settings) else change


def _compare_files(change: WorkflowChange, before: Json | None, after: Json | None) -> None:
    if before is None or after is None:
        change.file = "changed"
        return
    change.nodes = node_changes(_nodes(before), _nodes(after))
    change.connections = connection_changes(before.get("connections"), after.get("connections"))
    old, new = before.get("settings"), after.get("settings")
    empty: Json = {}
    settings = (old if isinstance(old, Mapping) else empty, new if isinstance(new, Mapping) else empty)
    change.settings = changes_of(*settings, sorted(SETTINGS_KEYS))


def _parsed(text: str) -> Json | None:
    """Return the workflow in a file; placeholders in value position become texts of themselves."""
    tokens = find(text)
    parts: list[str] = []
    last = 0
    for token, inside in zip(tokens, inside_strings(text, tokens), strict=True):
        if not inside:
            parts += [text[last : token.start], json.dumps(token.text)]
            last = token.end
    try:
        document = json.loads(with_whole_escapes("".join([*parts, text[last:]])))
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _nodes(document: Json) -> list[Json]:
    nodes = document.get("nodes")
    return [node for node in nodes if isinstance(node, Mapping)] if isinstance(nodes, list) else []


def _listed(workflow: Json) -> list[Json]:
    triggers = workflow.get("triggers")
    return [t for t in triggers if isinstance(t, Mapping)] if isinstance(triggers, list) else []


def _triggers(workflow: Json) -> list[Json]:
    """Return the triggers without their ids, which are new on every deploy, and without their inputs."""
    left_out = {"triggerId", "inputSchema"}
    return [{name: value for name, value in t.items() if name not in left_out} for t in _listed(workflow)]


def _inputs(workflow: Json) -> Json:
    inputs = [trigger.get("inputSchema") or [] for trigger in _listed(workflow)]
    return {"inputSchema": inputs[0] if len(inputs) == 1 else inputs}
