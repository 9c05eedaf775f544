"""The way of a request through an endpoint, the same for all of them.

method → key (and the endpoint's documents, in one read) → rate limits → kind, scope, role → body → handler
→ envelope → log line. A call that bears a signature goes by :mod:`shared.http.signed` up to the handler.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shared.errors import Internal, MethodNotAllowed, NotFound, PlatformError
from shared.http.access import Keyed, TaskCall
from shared.http.address import client_address
from shared.http.admission import admit, count, guessing
from shared.http.admission import headers as limit_headers
from shared.http.asked import Asked
from shared.http.authentication import identify, presented_digest
from shared.http.authorization import authorize
from shared.http.bodies import body_pieces, parse_json, read_body, validate
from shared.http.call import Call
from shared.http.declaration import AnyJson, Endpoint, Envelope
from shared.http.envelopes import failure, finish, preflight, respond, success
from shared.http.logs import log, log_exception
from shared.http.noting import noting_use, refused
from shared.http.request_headers import check_headers
from shared.http.signed import admit_signed, signed_with
from shared.http.visit import Visit
from shared.model.document import Document
from shared.services.audit import REQUEST_ID
from shared.services.platform import Platform
from shared.sources import Sources
from shared.store.counts import Counts, open_counts
from shared.telemetry.current import begin
from shared.telemetry.spans import serve_span
from shared.telemetry.trace import read_trace

_SOURCES = Sources()


async def serve(endpoint: Endpoint, request: Request, platform: Callable[[], Platform]) -> Response:
    """Answer one request. Never raises: every failure becomes the endpoint's envelope.

    ``platform`` opens the process's platform, or returns the open one.
    """
    visit = Visit(endpoint, request, _SOURCES.uuid7())
    if request.method == "OPTIONS":
        return preflight(visit.request_id)
    counts = open_counts()
    headers = request.headers
    current = begin(read_trace(headers.getlist("traceparent"), headers.getlist("tracestate")))
    REQUEST_ID.set(visit.request_id)
    started = time.perf_counter()
    try:
        response = await _answer(visit, platform())
    except PlatformError as error:
        response = await _refusal(visit, platform, error)
    except ClientDisconnect:
        response = Response(status_code=499)
    except Exception as error:  # noqa: BLE001 - the outermost edge: a stack trace must not reach a caller
        log_exception(f"{endpoint.name} failed", error, requestId=visit.request_id)
        apology = f"Something went wrong on our side. Quote request {visit.request_id} to support."
        hidden = Internal(apology, code="INTERNAL" if endpoint.envelope is Envelope.AUTH else None)
        response = respond(500, failure(endpoint.envelope, hidden, visit.request_id), visit.request_id)
    visit.headers["traceresponse"] = current.trace.parent
    visit.notes.update(current.fields)
    finish(response, visit.request_id, visit.headers)
    seconds = time.perf_counter() - started
    _log(visit, response, seconds, counts)
    method = {"http.request.method": request.method, "podium.request_id": visit.request_id}
    serve_span(endpoint.name, current.trace, current.caller, seconds, response.status_code, method)
    current.late = partial(_log_late, visit)
    return response


async def _answer(visit: Visit, platform: Platform) -> Response:
    endpoint, request = visit.endpoint, visit.request
    if visit.method != endpoint.method:
        raise MethodNotAllowed(f"{endpoint.name} takes {endpoint.method} requests, not {request.method}.")
    visit.params = path_parameters(endpoint, request.url.path)
    query = dict(request.query_params)
    address = client_address(request, platform.settings.trusted_proxies)
    if (secrets_of := signed_with(endpoint.access, request.headers)) is not None:
        letter = await admit_signed(visit, platform, secrets_of, address)
        prefetched, raw = letter.prefetched, letter.raw
    else:
        prefetched = await _admit(visit, platform, query, address)
        has_body = endpoint.method != "GET" and not endpoint.streams
        raw = await read_body(request, endpoint.body_limit) if has_body else b""
        visit.body = _body(endpoint, raw, query)
        check_headers(endpoint.headers, request.headers)
    call = Call(
        platform=platform,
        request_id=visit.request_id,
        params=visit.params,
        query=query,
        headers=request.headers,
        body=visit.body,
        raw=raw,
        key=visit.caller.key if visit.caller else None,
        key_digest=visit.caller.digest if visit.caller else "",
        signer=visit.signer,
        address=address,
        prefetched=prefetched,
        notes=visit.notes,
        answer_headers=visit.headers,
        pieces=body_pieces(request, endpoint.body_limit),
    )
    async with noting_use(platform, visit):
        result = await endpoint.handler(call)
    if isinstance(result, Response):
        return result
    wired = result.wire() if isinstance(result, Document) else result.model_dump(mode="json", by_alias=True)
    return respond(200, success(endpoint.envelope, wired, visit.request_id), visit.request_id)


async def _admit(visit: Visit, platform: Platform, query: Mapping[str, str], address: str) -> tuple[Any, ...]:
    """Return the endpoint's own documents, once it is clear who calls and that they may."""
    access, headers = visit.endpoint.access, visit.request.headers
    if isinstance(access, TaskCall):
        await platform.verifier.verify(headers.get("authorization", ""))
    key_digest = presented_digest(headers, query) if isinstance(access, Keyed) else ""
    asked = Asked(visit.params, headers, key_digest)
    documents = visit.endpoint.prefetch(asked) if visit.endpoint.prefetch else ()
    if not isinstance(access, Keyed):
        return await platform.store.fetch(*documents) if documents else ()
    with guessing(platform.limits, key_digest, address):
        visit.caller, prefetched = await identify(platform, key_digest, documents)
    standings = count(platform.limits, visit.caller)
    visit.headers.update(limit_headers(standings))
    admit(standings)
    authorize(visit.caller.key, access, platform.sources.now())
    return prefetched


async def _refusal(visit: Visit, platform: Callable[[], Platform], error: PlatformError) -> Response:
    endpoint = visit.endpoint
    if error.status == 403 and endpoint.refusal_code:
        error.code = endpoint.refusal_code
    visit.notes["code"] = error.code
    await refused(platform(), visit, error)
    body = failure(endpoint.envelope, error, visit.request_id)
    return respond(error.status, body, visit.request_id, _extra(endpoint, error))


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
        may_be_asked = endpoint.method == "GET" and not endpoint.changes
        methods = "GET, HEAD" if may_be_asked else endpoint.method
        return {"Allow": f"{methods}, OPTIONS"}
    retry = error.details.get("retryInSeconds")
    return {"Retry-After": str(retry)} if retry is not None else {}


def _log_late(visit: Visit, fields: dict[str, object]) -> None:
    log("INFO", f"{visit.endpoint.name} went on", requestId=visit.request_id, **fields)


def _log(visit: Visit, response: Response, seconds: float, counts: Counts) -> None:
    status = response.status_code
    log(
        "ERROR" if status >= 500 else "WARNING" if status >= 400 else "INFO",
        f"{visit.endpoint.name} {status}",
        requestId=visit.request_id,
        httpRequest={
            "requestMethod": visit.request.method,
            "requestUrl": visit.request.url.path,
            "status": status,
            "latency": f"{seconds:.6f}s",
        },
        firestore={
            "roundTrips": counts.round_trips,
            "reads": counts.reads,
            "writes": counts.writes,
            "queries": counts.queries,
        },
        **visit.notes,
    )
