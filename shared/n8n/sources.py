"""Taking the workflow itself out of n8n's record of a run, for those who may run it but not read it."""

from __future__ import annotations

from pydantic import JsonValue

from shared.executions.errors.shield import shielded

_WITHHELD = frozenset({"workflowData", "pinData", "stack", "cause"})
"""Fields that hold the workflow, data its author pinned to it, or lines of its code."""

_WITHHELD_OF_ERROR = frozenset({"context", "lineNumber", "errorResponse"})
"""Fields of an error that quote expressions and parameters, or tell where in the code it was."""

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
    shown = {name: without_sources(part) for name, part in recorded.items() if name not in _WITHHELD}
    error = shown.get("error")
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        shown["error"] = _shielded(error)
    return shown


def _shielded(error: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return an error whose texts quote no code."""
    texts = {
        name: shielded(text) if isinstance(text, str) else text
        for name, text in error.items()
        if name not in _WITHHELD_OF_ERROR
    }
    messages = texts.get("messages")
    if isinstance(messages, list):
        texts["messages"] = [shielded(text) for text in messages if isinstance(text, str)]
    return texts
