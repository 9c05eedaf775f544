"""The OpenAPI document of all public endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.errors import BodyTooLarge, Internal, MethodNotAllowed, PlatformError
from shared.http.access import BodySecret, HeaderSecret, Keyed, TaskCall
from shared.http.declaration import AnyJson, Endpoint, Envelope
from shared.model.apikey import KeyKind

_REF = "#/components/schemas/{model}"
_ALWAYS: tuple[type[PlatformError], ...] = (MethodNotAllowed, Internal)


def openapi(endpoints: Iterable[Endpoint], version: str) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document; task handlers are not part of it."""
    public = [endpoint for endpoint in endpoints if not isinstance(endpoint.access, TaskCall)]
    schemas, components = _schemas(public)
    paths = {endpoint.path: {endpoint.method.lower(): _operation(endpoint, schemas)} for endpoint in public}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Podium", "version": version},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "managerKey": {"type": "apiKey", "in": "header", "name": "X-Process-Manager-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "instanceKeyInQuery": {"type": "apiKey", "in": "query", "name": "api_key"},
                "webhookSecret": {"type": "apiKey", "in": "header", "name": "X-Codika-Webhook-Auth"},
            },
        },
    }


def _schemas(endpoints: list[Endpoint]) -> tuple[dict[type[BaseModel], Any], dict[str, Any]]:
    responses = {endpoint.response for endpoint in endpoints}
    bodies = {endpoint.request for endpoint in endpoints if endpoint.method != "GET"}
    requests = {model for model in bodies if model is not None and model is not AnyJson}
    wanted = [(model, "serialization") for model in sorted(responses, key=_name)]
    wanted += [(model, "validation") for model in sorted(requests, key=_name)]
    by_use, definitions = models_json_schema(wanted, ref_template=_REF)  # type: ignore[arg-type]
    found = {cast("type[BaseModel]", model): schema for (model, _), schema in by_use.items()}
    return found, definitions.get("$defs", {})


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _operation(endpoint: Endpoint, schemas: dict[type[BaseModel], Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, schemas),
        "security": _security(endpoint),
    }
    if endpoint.request is not None and endpoint.method != "GET":
        schema = {} if endpoint.request is AnyJson else schemas[endpoint.request]
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    text = {"type": "string"}
    path = [{"name": n, "in": "path", "required": True, "schema": text} for n in endpoint.params]
    return path + _query(endpoint)


def _query(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.method != "GET" or endpoint.request is None:
        return []
    schema = endpoint.request.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": field}
        for name, field in schema["properties"].items()
    ]


def _responses(endpoint: Endpoint, schemas: dict[type[BaseModel], Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": _json("Success", _success(endpoint, schemas[endpoint.response]))}
    too_large: tuple[type[PlatformError], ...] = () if endpoint.method == "GET" else (BodyTooLarge,)
    for error in (*endpoint.errors, *_ALWAYS, *too_large):
        answers[str(error.status)] = _json((error.__doc__ or "").split("\n")[0], _failure(endpoint))
    return dict(sorted(answers.items()))


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _success(endpoint: Endpoint, schema: dict[str, Any]) -> dict[str, Any]:
    frame = {"success": {"const": True}, "requestId": {"type": "string"}}
    if endpoint.envelope in (Envelope.DATA, Envelope.AUTH):
        return {"type": "object", "properties": {**frame, "data": schema}, "required": ["success", "data"]}
    return {"allOf": [{"type": "object", "properties": frame, "required": ["success"]}, schema]}


def _failure(endpoint: Endpoint) -> dict[str, Any]:
    text = {"type": "string"}
    frame: dict[str, Any] = {"success": {"const": False}, "requestId": text}
    if endpoint.envelope is Envelope.FLAT:
        fields: dict[str, Any] = {"error": text, "code": text}
    elif endpoint.envelope is Envelope.INGESTION:
        fields = {"error": text, "status": {"const": "failed"}}
    else:
        inner = {"code": text, "message": text, "details": {"type": "object"}}
        fields = {
            "error": {"type": "object", "properties": inner, "required": ["code", "message"]},
        }
    return {"type": "object", "properties": {**frame, **fields}, "required": ["success", *fields]}


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    if isinstance(endpoint.access, Keyed):
        in_query: list[dict[str, list[str]]] = [{"instanceKeyInQuery": []}]
        takes_instance_keys = KeyKind.INSTANCE in endpoint.access.kinds
        return [
            {"apiKey": []},
            {"managerKey": []},
            {"bearer": []},
            *(in_query if takes_instance_keys else []),
        ]
    if isinstance(endpoint.access, HeaderSecret):
        return [{"webhookSecret": []}]
    if isinstance(endpoint.access, BodySecret):
        return []
    return []
