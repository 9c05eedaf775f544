"""What an n8n failure means (nodes §8): from the error workflow's report, or from n8n's own execution."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.executions.details import ErrorDetails, details, text_of
from shared.executions.errors.kinds import Evidence
from shared.executions.errors.recognise import BY_CODE, class_of
from shared.executions.errors.table import UNCLASSIFIED

Json = Mapping[str, object]

_TRIGGER_FAILED = BY_CODE["TRIGGER_FAILED"].code
_STATUS = re.compile(r"[1-5][0-9]{2}")
_ENDED = {
    "crashed": "n8n stopped while the workflow was running.",
    "canceled": "The run was cancelled in n8n.",
}


def classify_report(payload: Json) -> ErrorDetails:
    """Return the error in what n8n's error trigger gives: a failed run, or a trigger that failed."""
    trigger = _object(payload.get("trigger"))
    if trigger:
        found = _classify(_object(trigger.get("error")), None, None)
        unknown = found.code == UNCLASSIFIED.code
        return found.model_copy(update={"code": _TRIGGER_FAILED}) if unknown else found
    execution = _object(payload.get("execution"))
    return _classify(_object(execution.get("error")), execution.get("lastNodeExecuted"), None)


def classify_execution(document: Json) -> ErrorDetails:
    """Return the error in an execution as n8n's API gives it, data included."""
    result = _object(_object(document.get("data")).get("resultData"))
    status = document.get("status")
    ended = status if isinstance(status, str) and status in _ENDED else None
    return _classify(_object(result.get("error")), result.get("lastNodeExecuted"), ended)


def _classify(error: Json, last_node: object, ended: str | None) -> ErrorDetails:
    failed_node = _node_name(error) or last_node
    status = _http_status(error)
    known = class_of(
        Evidence(
            text=" ".join(_texts(error)),
            name=text_of(error.get("name")),
            status=status,
            node_type=text_of(_object(error.get("node")).get("type")),
            # A run that n8n dropped says where it was, not that the node there failed.
            node_known=text_of(failed_node) is not None and ended is None,
            ended=ended,
        )
    )
    return details(
        known.type,
        _message(error) or _ENDED.get(ended or ""),
        code=known.code,
        cause_code=_code(error),
        failed_node_name=failed_node,
        last_executed_node=last_node,
        http_status=status,
        stack=error.get("stack"),
    )


def _message(error: Json) -> str | None:
    """Return message and description as one text; n8n's description often says what really happened."""
    message, description = text_of(error.get("message")), text_of(error.get("description"))
    if message and description and description not in message and " " in description:
        return f"{message} ({description})"
    return message or description


def _texts(error: Json) -> list[str]:
    messages = error.get("messages")
    given = [error.get(name) for name in ("name", "message", "description", "code", "httpCode")]
    given += messages if isinstance(messages, list) else []
    given.append(_object(error.get("cause")).get("message"))
    return [text for text in map(text_of, given) if text]


def _http_status(error: Json) -> int | None:
    for place in (error, _object(error.get("cause")), _object(error.get("response"))):
        for name in ("httpCode", "statusCode", "status"):
            text = text_of(place.get(name))
            if text and _STATUS.fullmatch(text):
                return int(text)
    return None


def _code(error: Json) -> str | None:
    for name in ("code", "httpCode"):
        text = text_of(error.get(name))
        if text and not _STATUS.fullmatch(text):
            return text
    return None


def _node_name(error: Json) -> str | None:
    node = error.get("node")
    return text_of(node.get("name")) if isinstance(node, Mapping) else text_of(node)


def _object(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}
