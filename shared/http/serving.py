"""The way of a request through an endpoint, the same for all of them.

method → key (and the endpoint's documents, in one read) → body → handler → envelope → log line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shared.errors import Internal, MethodNotAllowed, NotFound, PlatformError
from shared.http.authentication import authenticate
from shared.http.bodies import parse_json, read_body, validate
from shared.http.call import Call
from shared.http.declaration import AnyJson, Endpoint
from shared.http.envelopes import failure, preflight, respond, success
from shared.http.logs import log, log_exception
from shared.model.document import Document
from shared.services.platform import Platform
from shared.sources import Sources
from shared.store.counts import Counts, open_counts

_SOURCES = Sources()


async def serve(endpoint: Endpoint, request: Request, platform: Callable[[], Platform]) -> Response:
    """Answer one request. Never raises: every failure becomes the endpoint's envelope.

    ``platform`` opens the process's platform, or returns the open one.
    """
    request_id = _SOURCES.uuid7()
    if request.method == "OPTIONS":
        return preflight(request_id)
    counts = open_counts()
    started = time.perf_counter()
    notes: dict[str, object] = {}
    try:
        response = await _answer(endpoint, request, platform(), request_id, notes)
    except PlatformError as error:
        if error.status == 403 and endpoint.refusal_code:
            error.code = endpoint.refusal_code
        notes["code"] = error.code
        response = respond(
            error.status, failure(endpoint.envelope, error, request_id), request_id, _extra(endpoint, error)
        )
    except ClientDisconnect:
        response = Response(status_code=499)
    except Exception as error:  # noqa: BLE001 - the outermost edge: a stack trace must not reach a caller
        log_exception(f"{endpoint.name} failed", error, requestId=request_id)
        hidden = Internal(f"Something went wrong on our side. Quote request {request_id} to support.")
        response = respond(500, failure(endpoint.envelope, hidden, request_id), request_id)
    _log(endpoint, request, response, request_id, time.perf_counter() - started, counts, notes)
    return response


async def _answer(
    endpoint: Endpoint, request: Request, platform: Platform, request_id: str, notes: dict[str, object]
) -> Response:
    if request.method != endpoint.method:
        raise MethodNotAllowed(f"{endpoint.name} takes {endpoint.method} requests, not {request.method}.")
    params = path_parameters(endpoint, request.url.path)
    query = dict(request.query_params)
    documents = endpoint.prefetch(params) if endpoint.prefetch else ()
    key, prefetched = await authenticate(platform, endpoint.access, request.headers, query, documents)
    raw = await read_body(request, endpoint.body_limit) if endpoint.method != "GET" else b""
    call = Call(
        platform=platform,
        request_id=request_id,
        params=params,
        query=query,
        headers=request.headers,
        body=_body(endpoint, raw, query),
        raw=raw,
        key=key,
        prefetched=prefetched,
        notes=notes,
    )
    result = await endpoint.handler(call)
    if isinstance(result, Response):
        return result
    wired = result.wire() if isinstance(result, Document) else result.model_dump(mode="json", by_alias=True)
    return respond(200, success(endpoint.envelope, wired, request_id), request_id)


def path_parameters(endpoint: Endpoint, path: str) -> Mapping[str, str]:
    """Return the values of the endpoint's path parameters.

    Behind the rewrites a path starts with the endpoint's name or an alias; a function that is called
    by its own address sees only the parameters.

    Raises:
        NotFound: the path has too few or too many segments.
    """
    segments = [segment for segment in path.split("/") if segment]
    if len(segments) > len(endpoint.params) and segments[0].lower() in {n.lower() for n in endpoint.names}:
        segments = segments[1:]
    if len(segments) != len(endpoint.params):
        raise NotFound(f"There is nothing at this path. {endpoint.name} is called as {endpoint.path}.")
    return dict(zip(endpoint.params, segments, strict=True))


def _body(endpoint: Endpoint, raw: bytes, query: dict[str, str]) -> Any:
    if endpoint.request is None:
        return None
    if endpoint.method == "GET":
        return validate(endpoint.request, query)
    parsed = parse_json(raw)
    if endpoint.request is AnyJson:
        return parsed
    return validate(endpoint.request, parsed)


def _extra(endpoint: Endpoint, error: PlatformError) -> dict[str, str]:
    if isinstance(error, MethodNotAllowed):
        return {"Allow": f"{endpoint.method}, OPTIONS"}
    retry = error.details.get("retryInSeconds")
    return {"Retry-After": str(retry)} if retry is not None else {}


def _log(
    endpoint: Endpoint,
    request: Request,
    response: Response,
    request_id: str,
    seconds: float,
    counts: Counts,
    notes: Mapping[str, object],
) -> None:
    severity = (
        "ERROR" if response.status_code >= 500 else "WARNING" if response.status_code >= 400 else "INFO"
    )
    log(
        severity,
        f"{endpoint.name} {response.status_code}",
        requestId=request_id,
        httpRequest={
            "requestMethod": request.method,
            "requestUrl": request.url.path,
            "status": response.status_code,
            "latency": f"{seconds:.6f}s",
        },
        firestore={
            "roundTrips": counts.round_trips,
            "reads": counts.reads,
            "writes": counts.writes,
            "queries": counts.queries,
        },
        **notes,
    )
