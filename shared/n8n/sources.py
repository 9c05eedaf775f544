"""Taking the workflow itself out of n8n's record of a run, for those who may run it but not read it."""

from __future__ import annotations

from pydantic import JsonValue

_WITHHELD = frozenset({"workflowData", "pinData", "stack", "cause"})
"""Fields that hold the workflow, data its author pinned to it, or lines of its code."""

_NODE = frozenset({"type", "typeVersion", "parameters"})
"""Fields that a node of a workflow has; n8n repeats the node in the error it ended with."""

_SHOWN_OF_NODE = ("id", "name", "type", "typeVersion")


def without_sources(recorded: JsonValue) -> JsonValue:
    """Return a record of a run without the workflow: nodes keep what names them, and their data."""
    if isinstance(recorded, list):
        return [without_sources(part) for part in recorded]
    if not isinstance(recorded, dict):
        return recorded
    if recorded.keys() >= _NODE:
        return {name: recorded[name] for name in _SHOWN_OF_NODE if name in recorded}
    return {name: without_sources(part) for name, part in recorded.items() if name not in _WITHHELD}
