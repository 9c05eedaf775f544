"""From the base64 of a workflow file to its text, and from text to a document."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import NoReturn

from shared.errors import InvalidWorkflowJson
from shared.json_text import with_whole_escapes
from shared.model.configuration.workflow import DataIngestion, Workflow

_DEEPEST = 200
"""Levels of lists and objects: what is nested deeper can be read, and not be copied and written again."""


def decode(workflow: Workflow | DataIngestion, index: int | None = None) -> str:
    """Return the text of the workflow's file.

    Raises :class:`InvalidWorkflowJson`, naming the workflow, when it is no base64 or no UTF-8.
    """
    encoded = "".join(workflow.n8n_workflow_json_base64.split())
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8-sig")
    except (binascii.Error, ValueError) as error:
        reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "is not valid base64"
        _refuse(workflow.workflow_template_id, index, reason)


def parse(text: str, name: str, index: int | None = None) -> dict[str, object]:
    """Return the workflow document in a text without placeholders in value position.

    Raises :class:`InvalidWorkflowJson` naming the workflow and the position when it does not parse, and
    when it is no workflow: an object with a list ``nodes`` and an object ``connections``.
    """
    document = _json(text, name, index)
    if not isinstance(document, dict):
        _refuse(name, index, "is not a JSON object")
    # Counting brackets settles nearly every case, at a fraction of what a walk costs.
    if text.count("[") + text.count("{") > _DEEPEST and _is_deep(document):
        _refuse(name, index, f"is nested more than {_DEEPEST} levels deep")
    if not isinstance(document.get("nodes"), list):
        _refuse(name, index, "has no list of nodes")
    if not isinstance(document.get("connections"), dict):
        _refuse(name, index, "has no connections")
    return document


def _is_deep(document: object) -> bool:
    level: list[object] = [document]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _members(outer)]
        if not level:
            return False
    return True


def _members(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _json(text: str, name: str, index: int | None) -> object:
    try:
        document: object = json.loads(with_whole_escapes(text), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        _refuse(name, index, f"is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}")
    except (ValueError, RecursionError):
        _refuse(name, index, "is not valid JSON: a number is out of range or it is nested too deeply")
    return document


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _refuse(name: str, index: int | None, reason: str) -> NoReturn:
    field = "n8nWorkflowJsonBase64" if index is None else f"workflows[{index}].n8nWorkflowJsonBase64"
    raise InvalidWorkflowJson(f"Workflow '{name}' {reason}.", field=field, reason=reason, index=index)
