"""Reading request bodies: bounded, and an empty one is an empty object (api §1.2)."""

from __future__ import annotations

from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from shared.errors import BodyTooLarge, InvalidRequest
from shared.validation.nesting import TooDeep, loads

M = TypeVar("M", bound=BaseModel)


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body.

    Raises:
        BodyTooLarge: it has more than ``limit`` bytes; the rest is not read.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        pieces.append(piece)
    return b"".join(pieces)


def parse_json(raw: bytes) -> object:
    """Return the parsed body; empty means ``{}``.

    Raises:
        InvalidRequest: it is not JSON, or nested too deeply.
    """
    if not raw.strip():
        return {}
    try:
        return loads(raw)
    except TooDeep as error:
        raise InvalidRequest(f"The request body cannot be used: {error}.") from None
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(
            f"The request body is not valid JSON (line {error.lineno}, column {error.colno}). "
            "Send a JSON object with Content-Type: application/json."
        ) from None


def validate(model: type[M], parsed: object) -> M:
    """Return the body as ``model``.

    Raises:
        InvalidRequest: a field is missing or of the wrong type; ``details.field`` names the first one.
    """
    if not isinstance(parsed, dict):
        raise InvalidRequest("The request body must be a JSON object.")
    try:
        return model.model_validate(parsed)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(f"{field}: {first['msg']}", field=field, reason=first["msg"]) from None


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The request body is larger than {limit // (1024 * 1024)} MB. Send less at once.")
