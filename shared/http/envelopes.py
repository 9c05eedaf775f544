"""Turning results and errors into the endpoint's envelope (api §2)."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from shared import json_text
from shared.errors import PlatformError
from shared.http.declaration import Envelope

_OTHERWISE = "Try again; if it fails again, contact support."
_NEXT_ACTION = {
    400: "Correct the request and send it again.",
    401: "Check your API key.",
    404: "Check the address and try again.",
    409: "Resolve the conflict described in the message, then try again.",
    429: "Wait a moment, then try again.",
}


def success(envelope: Envelope, result: Mapping[str, object], request_id: str) -> dict[str, object]:
    """Return the body of a successful answer."""
    if envelope in (Envelope.DATA, Envelope.AUTH):
        return {"success": True, "data": dict(result), "requestId": request_id}
    return {"success": True, **result, "requestId": request_id}


def failure(envelope: Envelope, error: PlatformError, request_id: str) -> dict[str, object]:
    """Return the body of a failed answer."""
    if envelope is Envelope.FLAT:
        return {"success": False, "error": error.message, "code": error.code, "requestId": request_id}
    if envelope is Envelope.INGESTION:
        return {"success": False, "error": error.message, "status": "failed", "requestId": request_id}
    body: dict[str, object] = {"code": error.code, "message": error.message}
    if envelope is Envelope.AUTH:
        body["nextAction"] = error.next_action or _NEXT_ACTION.get(error.status, _OTHERWISE)
    if error.details:
        body["details"] = error.details
    return {"success": False, "error": body, "requestId": request_id}


_ALWAYS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed, traceresponse"
    ),
    "X-Content-Type-Options": "nosniff",
}


def respond(
    status: int, body: Mapping[str, object], request_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the JSON response."""
    return Response(
        json_text.dumps(body, option=orjson.OPT_NON_STR_KEYS),
        status_code=status,
        media_type="application/json",
        headers={"X-Request-Id": request_id, "Cache-Control": "no-store", **_ALWAYS, **(headers or {})},
    )


def finish(response: Response, request_id: str, headers: Mapping[str, str]) -> None:
    """Put what every answer carries onto one that an endpoint made itself."""
    for name, value in {"X-Request-Id": request_id, **_ALWAYS, **headers}.items():
        response.headers.setdefault(name, value)


def preflight(request_id: str) -> Response:
    """Answer a browser's CORS preflight: keys travel in headers, no cookie gives a right."""
    return Response(
        status_code=204,
        headers={
            "X-Request-Id": request_id,
            **_ALWAYS,
            "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
            "Access-Control-Allow-Headers": "*, Authorization",
            "Access-Control-Max-Age": "86400",
        },
    )
