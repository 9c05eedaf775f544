"""One endpoint: what it takes and who may call it."""

from __future__ import annotations

from typing import Any

from shared.http.access import HeaderSecret, Keyed
from shared.http.artefacts.openapi.answers import answers
from shared.http.artefacts.openapi.schemas import Schemas
from shared.http.declaration import Endpoint
from shared.http.examples import IDS
from shared.model.apikey import KeyKind

SIGNATURES = ("standardWebhooks", "svix", "stripe", "github", "slack")
"""The names of the security schemes of signed calls."""


def operation(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    """Return the operation object of an endpoint."""
    described: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.noun],
        "summary": endpoint.summary,
        "description": _description(endpoint),
        "parameters": [*_path(endpoint), *_query(endpoint, schemas), *_headers(endpoint)],
        "responses": answers(endpoint, schemas),
        "security": _security(endpoint),
    }
    if endpoint.request is not None and endpoint.method != "GET":
        content: dict[str, Any] = {"schema": schemas.taken(endpoint.request)}
        if example := schemas.examples.get(endpoint.name):
            content["example"] = dict(example.request)
        described["requestBody"] = {"content": {"application/json": content}}
    return described


def _description(endpoint: Endpoint) -> str:
    parts = [endpoint.description.partition("\n")[2].strip(), _who(endpoint)]
    if endpoint.aliases:
        parts.append(f"Also found under {', '.join(f'`/{alias}`' for alias in endpoint.aliases)}.")
    return "\n\n".join(part for part in parts if part)


def _who(endpoint: Endpoint) -> str:
    access = endpoint.access
    if not isinstance(access, Keyed):
        return ""
    kinds = ", ".join(f"`{kind.prefix}`" for kind in KeyKind if kind in access.kinds)
    scopes = " or ".join(f"`{scope.value}`" for scope in access.scopes)
    who = f"Keys: {kinds}."
    if scopes:
        who += f" Scope: {scopes}."
    if access.signed_with is not None:
        who += " Or no key, and a signature made with a webhook secret of the workflow."
    if access.management:
        who += " For owners and admins of the organization."
    return who


def _path(endpoint: Endpoint) -> list[dict[str, Any]]:
    found = []
    for name in endpoint.params:
        parameter: dict[str, Any] = {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
        }
        if name in IDS:
            parameter["example"] = IDS[name]
        found.append(parameter)
    return found


def _query(endpoint: Endpoint, schemas: Schemas) -> list[dict[str, Any]]:
    if endpoint.method != "GET" or endpoint.request is None:
        return []
    fields, required = schemas.fields(endpoint.request)
    example = schemas.examples.get(endpoint.name)
    shown = example.request if example else {}
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _without_null(schema),
            **({"example": shown[name]} if name in shown else {}),
        }
        for name, schema in fields.items()
    ]


def _headers(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": header.name,
            "in": "header",
            "required": False,
            "description": header.description,
            "schema": {"type": "string", "pattern": f"^{header.pattern}$"},
        }
        for header in endpoint.headers
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query string cannot say null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **choices[0]}


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    if isinstance(endpoint.access, Keyed):
        names = ["apiKey", "managerKey", "bearer"]
        if KeyKind.INSTANCE in endpoint.access.kinds:
            names.append("instanceKeyInQuery")
        if endpoint.access.signed_with is not None:
            names += SIGNATURES
        return [{name: []} for name in names]
    return [{"webhookSecret": []}] if isinstance(endpoint.access, HeaderSecret) else []
