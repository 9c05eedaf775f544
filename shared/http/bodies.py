"""Reading request bodies: bounded, and an empty one is an empty object (api §1.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TypeVar
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from shared.errors import BodyTooLarge, InvalidRequest
from shared.validation.nesting import TooDeep, loads

M = TypeVar("M", bound=BaseModel)

_MOST_FIELDS = 1000


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body.

    Raises:
        BodyTooLarge: it has more than ``limit`` bytes; the rest is not read.
    """
    return b"".join([piece async for piece in body_pieces(request, limit)])


async def body_pieces(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the body as it arrives.

    Raises:
        BodyTooLarge: it has more than ``limit`` bytes; the rest is not read.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        yield piece


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


def parse_any(raw: bytes, content_type: str) -> object:
    """Return the body of a caller whose format is its own: JSON, a form, or text.

    A form is the object of its fields; one that occurs several times is a list, and a lone field ``payload``
    that holds a JSON object is that object, as GitHub and Slack send them. Anything else is JSON if it can be
    read so, and text if it says to be something else than JSON.

    Raises:
        InvalidRequest: it is none of them.
    """
    kind = content_type.partition(";")[0].strip().lower()
    # Clients call JSON a form by mistake; what begins so is never one.
    if kind == "application/x-www-form-urlencoded" and not raw.lstrip().startswith((b"{", b"[")):
        return _form(raw)
    try:
        return parse_json(raw)
    except InvalidRequest:
        if not kind or kind == "application/json" or kind.endswith("+json"):
            raise
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InvalidRequest("The request body is neither JSON nor a form nor text in UTF-8.") from None


def _form(raw: bytes) -> object:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InvalidRequest(
            f"The request body is no form of at most {_MOST_FIELDS} fields in UTF-8."
        ) from None
    fields: dict[str, object] = {}
    for name, value in pairs:
        earlier = fields.get(name)
        if name not in fields:
            fields[name] = value
        elif isinstance(earlier, list):
            earlier.append(value)
        else:
            fields[name] = [earlier, value]
    lone = fields.get("payload") if len(fields) == 1 else None
    if isinstance(lone, str) and lone.startswith("{"):
        with suppress(InvalidRequest):
            return parse_json(lone.encode())
    return fields


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
