"""The decorator that turns a function into an endpoint and a functions-framework target."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import functions_framework.aio
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import PlatformError
from shared.http.access import Access
from shared.http.declaration import MAX_BODY, REGISTRY, Endpoint, Envelope, Prefetch
from shared.http.request_headers import Header
from shared.http.runtime import platform
from shared.http.serving import serve

Target = Callable[[Request], Awaitable[Response]]

TARGETS: dict[str, Target] = {}
"""The functions-framework target of every imported endpoint, by canonical name."""


def endpoint(
    method: str,
    name: str,
    *params: str,
    access: Access,
    envelope: Envelope,
    response: type[BaseModel],
    request: type[BaseModel] | None = None,
    aliases: tuple[str, ...] = (),
    errors: tuple[type[PlatformError], ...] = (),
    prefetch: Prefetch | None = None,
    body_limit: int = MAX_BODY,
    timeout_seconds: int = 60,
    memory_mebibytes: int = 256,
    concurrency: int = 80,
    refusal_code: str | None = None,
    changes: bool | None = None,
    media_type: str = "application/json",
    headers: tuple[Header, ...] = (),
    streams: bool = False,
) -> Callable[[Callable[[Any], Awaitable[Any]]], Target]:
    """Declare an endpoint; see :class:`shared.http.declaration.Endpoint` for the fields.

    The decorated function takes a :class:`shared.http.call.Call`; its docstring's first line becomes
    the summary in the OpenAPI document, the rest its description. What is returned is the
    functions-framework target.
    """

    def declare(handler: Callable[[Any], Awaitable[Any]]) -> Target:
        declared = Endpoint(
            name=name,
            method=method,
            params=params,
            aliases=aliases,
            access=access,
            envelope=envelope,
            request=request,
            response=response,
            errors=errors,
            prefetch=prefetch,
            body_limit=body_limit,
            timeout_seconds=timeout_seconds,
            memory_mebibytes=memory_mebibytes,
            concurrency=concurrency,
            refusal_code=refusal_code,
            declared_changes=changes,
            media_type=media_type,
            description=inspect.getdoc(handler) or "",
            handler=handler,
            headers=headers,
            streams=streams,
        )
        REGISTRY.add(declared)

        @wraps(handler)
        async def target(request: Request) -> Response:
            return await serve(declared, request, platform)

        # functions-framework finds a target, and learns that it is asynchronous, by this name.
        target.__name__ = name
        functions_framework.aio.http(target)
        TARGETS[name] = target
        return target

    return declare
