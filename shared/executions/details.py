"""What is kept of a failed run's error (platform §15.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.executions.errors.kinds import ErrorType
from shared.executions.errors.recognise import class_of_stated
from shared.executions.errors.shield import shielded
from shared.model.document import Document

MAX_MESSAGE = 2_000
"""Characters of a message that are kept."""

MAX_STACK = 8 * 1024
"""Bytes of a stack that are kept."""

_MAX_NAME = 200
_NO_MESSAGE = "The workflow failed without a message."
_TRIMMED = "… (trimmed)"
# Request URLs and headers get into messages of failed calls.
_SECRETS = re.compile(
    r"(?i)(\b(?:bearer|basic)\s+|[?&](?:api_?key|access_token|token|key|secret|password)=)[^\s&\"',;]+"
    r"|\bck[opa]?_[A-Za-z0-9_-]{16,}|\bwhsec_[A-Za-z0-9+/=]{8,}"
)


class ErrorDetails(Document):
    """``errorDetails`` of a run. Texts are trimmed and free of keys and tokens.

    ``code`` is of the error table, or an author's own; ``cause_code`` is what n8n or the service called it.
    """

    type: ErrorType
    message: str
    code: str | None = None
    cause_code: str | None = None
    failed_node_name: str | None = None
    last_executed_node: str | None = None
    http_status: int | None = None
    stack: str | None = None


def withheld(found: ErrorDetails, *, of_another: bool) -> ErrorDetails:
    """Return the details to keep of a run; of another organization's workflow nothing shows its code.

    What a workflow reports itself is its author's word to those who run it, and is kept as it is.
    """
    if not of_another:
        return found
    return found.model_copy(update={"message": shielded(found.message), "stack": None})


def details(
    kind: ErrorType,
    message: object,
    *,
    code: object = None,
    cause_code: object = None,
    failed_node_name: object = None,
    last_executed_node: object = None,
    http_status: int | None = None,
    stack: object = None,
) -> ErrorDetails:
    """Return error details from what others sent: trimmed, cleaned, odd types ignored."""
    return ErrorDetails(
        type=kind,
        message=trimmed(cleaned(text_of(message) or _NO_MESSAGE), MAX_MESSAGE),
        code=_name(code),
        cause_code=_name(cause_code),
        failed_node_name=_name(failed_node_name),
        last_executed_node=_name(last_executed_node),
        http_status=http_status,
        stack=trimmed_stack(stack),
    )


def from_report(body: Mapping[str, object]) -> ErrorDetails:
    """Return the error a workflow reports through ``submitWorkflowError`` (nodes §6).

    Old nodes nest it: ``error {type, message, …}``, or send its text alone.
    """
    nested = body.get("error")
    inner: Mapping[str, object] = nested if isinstance(nested, Mapping) else {"message": nested}
    stated = _first(body.get("errorType"), inner.get("type"), inner.get("errorType"))
    # The node's default, where nothing is stated at all.
    kind = ErrorType.NODE_FAILURE if stated is None else ErrorType.of(stated)
    message = _first(body.get("errorMessage"), inner.get("message"), inner.get("errorMessage"))
    return details(
        kind,
        message,
        code=text_of(inner.get("code")) or class_of_stated(kind, text_of(message) or "").code,
        failed_node_name=_first(
            body.get("failedNodeName"), inner.get("failedNodeName"), inner.get("nodeName")
        ),
        last_executed_node=_first(body.get("lastExecutedNode"), inner.get("lastExecutedNode")),
        stack=inner.get("stack"),
    )


def cleaned(text: str) -> str:
    """Return the text without bearer tokens, API keys and secrets in query strings."""
    return _SECRETS.sub(lambda match: f"{match[1] or ''}[redacted]", text)


def trimmed(text: str, limit: int) -> str:
    """Return at most ``limit`` characters, saying so when something was cut off."""
    return text if len(text) <= limit else text[: limit - len(_TRIMMED)] + _TRIMMED


def trimmed_stack(stack: object) -> str | None:
    """Return at most 8 kB (UTF-8) of a stack, its top; ``None`` when it is no text or empty."""
    if not isinstance(stack, str) or not stack:
        return None
    # Far more than can be kept need not be searched.
    encoded = cleaned(stack[: 2 * MAX_STACK]).encode("utf-8", "replace")
    if len(encoded) <= MAX_STACK and len(stack) <= 2 * MAX_STACK:
        return encoded.decode()
    kept = encoded[: MAX_STACK - len(_TRIMMED.encode())]
    return kept.decode("utf-8", "ignore") + _TRIMMED


def text_of(value: object) -> str | None:
    """Return a value as text, or ``None`` for what is no message: nothing, blank, a structure."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _name(value: object) -> str | None:
    text = text_of(value)
    return None if text is None else trimmed(cleaned(text), _MAX_NAME)


def _first(*values: object) -> object:
    return next((value for value in values if value not in (None, "")), None)
