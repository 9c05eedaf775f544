"""Answers: successes in their envelope, failures with the codes they may carry (api §2)."""

from __future__ import annotations

from typing import Any

from shared.errors import (
    BodyTooLarge,
    Forbidden,
    Internal,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PlatformError,
    RateLimited,
    Unauthorized,
)
from shared.http.access import BodySecret, HeaderSecret, Keyed
from shared.http.artefacts.openapi.schemas import Schemas
from shared.http.declaration import Endpoint, Envelope

_TEXT = {"type": "string"}
_REQUEST_ID = {"type": "string", "format": "uuid", "description": "Names this request in the logs."}
_JSON = "application/json"
_HTML = "text/html"

_NAMES = {
    Envelope.DATA: "Failure",
    Envelope.FLAT: "FlatFailure",
    Envelope.AUTH: "AccountFailure",
    Envelope.INGESTION: "IngestionFailure",
}


def failures() -> dict[str, Any]:
    """Return the schema of a failure in each envelope, by name."""
    return {_NAMES[envelope]: _failure(envelope) for envelope in Envelope}


def answers(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    """Return every answer of an endpoint by status."""
    found: dict[str, Any] = {"200": _success(endpoint, schemas)}
    by_status: dict[int, list[type[PlatformError]]] = {}
    for error in possible(endpoint):
        by_status.setdefault(error.status, []).append(error)
    for status, errors in sorted(by_status.items()):
        found[str(status)] = _refusal(endpoint, errors)
    return found


def possible(endpoint: Endpoint) -> tuple[type[PlatformError], ...]:
    """Return the errors an endpoint declares and those that follow from what it takes."""
    follow: list[type[PlatformError]] = [MethodNotAllowed, Internal]
    if endpoint.request is not None:
        follow.append(InvalidRequest)
    if endpoint.params:
        follow.append(NotFound)
    if endpoint.method != "GET":
        follow.append(BodyTooLarge)
    if isinstance(endpoint.access, Keyed):
        follow += [Unauthorized, Forbidden, RateLimited]
    if isinstance(endpoint.access, BodySecret | HeaderSecret):
        follow.append(Unauthorized)
    return tuple(dict.fromkeys((*endpoint.errors, *follow)))


def _success(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    if endpoint.media_type != _JSON:
        whole = {"type": "object"} if endpoint.media_type.endswith("+json") else _TEXT
        return {"description": endpoint.summary, "content": {endpoint.media_type: {"schema": whole}}}
    schema = schemas.given(endpoint.response)
    frame = {"success": {"const": True}, "requestId": _REQUEST_ID}
    required = ["success", "requestId"]
    wrapped = endpoint.envelope in (Envelope.DATA, Envelope.AUTH)
    if wrapped:
        body: dict[str, Any] = {
            "type": "object",
            "properties": {**frame, "data": schema},
            "required": [*required, "data"],
        }
    else:
        body = {"allOf": [{"type": "object", "properties": frame, "required": required}, schema]}
    content: dict[str, Any] = {"schema": body}
    if example := schemas.examples.get(endpoint.name):
        content["example"] = _framed(example.response, wrapped)
    return {"description": "Success", "content": {_JSON: content}}


def _framed(response: Any, wrapped: bool) -> dict[str, Any]:
    inner = {"data": dict(response)} if wrapped else dict(response)
    return {"success": True, **inner, "requestId": "019ab3f2-6c1e-7d60-8a55-2f4f8f1b7c11"}


def _refusal(endpoint: Endpoint, errors: list[type[PlatformError]]) -> dict[str, Any]:
    said = dict.fromkeys((error.__doc__ or "").split("\n")[0] for error in errors)
    codes = dict.fromkeys(_code(endpoint, error) for error in errors)
    schema = {"$ref": f"#/components/schemas/{_NAMES[endpoint.envelope]}"}
    content: dict[str, Any] = {_JSON: {"schema": schema}}
    if endpoint.media_type == _HTML:
        # A page tells its reader what went wrong; what happens before it is made is told as everywhere.
        content[_HTML] = {"schema": _TEXT}
    answer: dict[str, Any] = {
        "description": " ".join((*said, f"Codes: {', '.join(codes)}.")),
        "content": content,
    }
    if errors[0].status == 429:
        seconds = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
        answer["headers"] = {"Retry-After": seconds}
    return answer


def _code(endpoint: Endpoint, error: type[PlatformError]) -> str:
    if error.status == 403 and endpoint.refusal_code:
        return endpoint.refusal_code
    return error.default_code


def _failure(envelope: Envelope) -> dict[str, Any]:
    fields: dict[str, Any]
    if envelope is Envelope.FLAT:
        fields = {"error": _TEXT, "code": _TEXT}
    elif envelope is Envelope.INGESTION:
        fields = {"error": _TEXT, "status": {"const": "failed"}}
    else:
        inner: dict[str, Any] = {"code": _TEXT, "message": _TEXT, "details": {"type": "object"}}
        required = ["code", "message"]
        if envelope is Envelope.AUTH:
            inner["nextAction"] = {**_TEXT, "description": "What the user should do; may be shown as it is."}
            required.append("nextAction")
        fields = {"error": {"type": "object", "properties": inner, "required": required}}
    return {
        "type": "object",
        "properties": {"success": {"const": False}, "requestId": _REQUEST_ID, **fields},
        "required": ["success", "requestId", *fields],
    }
