"""The credentials part of n8n's REST API: stores, and refuses what real n8n refuses (docs/n8n.md).

The schemas of the types here are those n8n 2.41 states; it knows no other types.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_TEXT, _NUMBER, _FLAG = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
_DOMAINS: dict[str, Any] = {
    "allowedHttpRequestDomains": {"type": "string", "enum": ["all", "domains", "none"]},
    "allowedDomains": _TEXT,
}


def _schema(required: list[str], all_of: list[Any] | None = None, **properties: Any) -> dict[str, Any]:
    schema = {"additionalProperties": False, "type": "object", "properties": properties, "required": required}
    return {**schema, "allOf": all_of} if all_of else schema


def _when(name: str, value: object, required: str) -> dict[str, Any]:
    """A rule as older n8n states it: it holds for an absent field too, which broke production once."""
    return {
        "if": {"properties": {name: {"enum": [value]}}},
        "then": {"allOf": [{"required": [required]}]},
    }


SCHEMAS: dict[str, dict[str, Any]] = {
    "openAiApi": _schema(
        ["apiKey"],
        apiKey=_TEXT,
        organizationId=_TEXT,
        url=_TEXT,
        header=_FLAG,
        headerName=_TEXT,
        headerValue=_TEXT,
        **_DOMAINS,
    ),
    "googlePalmApi": _schema(["host", "apiKey"], host=_TEXT, apiKey=_TEXT, **_DOMAINS),
    "pineconeApi": _schema(
        ["apiKey"],
        [_when("allowedHttpRequestDomains", "domains", "allowedDomains")],
        apiKey=_TEXT,
        **_DOMAINS,
    ),
    "httpHeaderAuth": _schema([], name=_TEXT, value=_TEXT, **_DOMAINS),
    "httpBasicAuth": _schema([], user=_TEXT, password=_TEXT, **_DOMAINS),
    "telegramApi": _schema(["accessToken"], accessToken=_TEXT, baseUrl=_TEXT),
    "twilioApi": _schema(
        [],
        authType={"type": "string", "enum": ["authToken", "apiKey"]},
        accountSid=_TEXT,
        authToken=_TEXT,
        apiKeySid=_TEXT,
        apiKeySecret=_TEXT,
    ),
    "postgres": _schema(
        [],
        host=_TEXT,
        database=_TEXT,
        user=_TEXT,
        password=_TEXT,
        maxConnections=_NUMBER,
        allowUnauthorizedCerts=_FLAG,
        ssl={"type": "string", "enum": ["allow", "disable", "require"]},
        port=_NUMBER,
    ),
}


def _oauth(*required: str, **more: Any) -> dict[str, Any]:
    own: dict[str, Any] = {
        "serverUrl": _TEXT,
        "clientId": _TEXT,
        "clientSecret": _TEXT,
        "sendAdditionalBodyProperties": _FLAG,
        "additionalBodyProperties": {"type": "json"},
        "oauthTokenData": {"type": "json"},
    }
    return _schema([*required], None, **own, **more)


_CUSTOM_SCOPES: dict[str, Any] = {
    "customScopes": _FLAG,
    "customScopesNotice": {"type": "notice"},
    "enabledScopes": _TEXT,
}
SCHEMAS["slackOAuth2Api"] = _oauth(signatureSecret=_TEXT, customScopes=_FLAG, userScope=_TEXT)
SCHEMAS["shopifyOAuth2Api"] = _oauth("clientId", "clientSecret", "shopSubdomain", shopSubdomain=_TEXT)
SCHEMAS["googleCalendarOAuth2Api"] = _oauth(**_CUSTOM_SCOPES)
SCHEMAS["calendlyOAuth2Api"] = _oauth()


@dataclass(slots=True)
class Credentials:
    """What is stored, by id: ``{type, name, data}``; and how often each type's schema was asked for."""

    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    schema_calls: list[str] = field(default_factory=list)
    refusal: str | None = None
    """What every write is refused with; ``{data}`` stands for the data it was given."""
    key: str = ""

    def mount(self, app: web.Application, key: str) -> None:
        self.key = key
        app.router.add_post("/api/v1/credentials", self._create)
        app.router.add_get("/api/v1/credentials/schema/{type}", self._schema)
        app.router.add_patch("/api/v1/credentials/{id}", self._update)
        app.router.add_delete("/api/v1/credentials/{id}", self._delete)

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        if refused := self._refused(request, body, body["type"]):
            return refused
        if body["id"] in self.stored:
            return _refuse(409, "A credential with this ID already exists")
        self.stored[body["id"]] = {name: body[name] for name in ("type", "name", "data")}
        return self._told(body["id"])

    async def _update(self, request: web.Request) -> web.Response:
        body, identifier = await request.json(), request.match_info["id"]
        if identifier not in self.stored:
            return _refuse(404, "Credential not found")
        kind = body.get("type", self.stored[identifier]["type"])
        if refused := self._refused(request, body, kind):
            return refused
        self.stored[identifier].update(
            {name: body[name] for name in ("type", "name", "data") if name in body}
        )
        return self._told(identifier)

    async def _delete(self, request: web.Request) -> web.Response:
        if self.stored.pop(request.match_info["id"], None) is None:
            return _refuse(404, "Not Found")
        return web.json_response({"id": request.match_info["id"]})

    async def _schema(self, request: web.Request) -> web.Response:
        kind = request.match_info["type"]
        self.schema_calls.append(kind)
        return web.json_response(SCHEMAS[kind]) if kind in SCHEMAS else _refuse(404, "Not Found")

    def _refused(self, request: web.Request, body: dict[str, Any], kind: str) -> web.Response | None:
        if request.headers.get("X-N8N-API-KEY") != self.key:
            return _refuse(401, "Unauthorized")
        if self.refusal is not None:
            return _refuse(400, self.refusal.replace("{data}", str(body.get("data"))))
        if kind not in SCHEMAS:
            return _refuse(400, "req.body.type is not a known type")
        if len(body.get("id", "")) > 16 or not 3 <= len(body.get("name", "abc")) <= 128:
            return _refuse(400, "request.body is not valid")
        problems = list(_problems(SCHEMAS[kind], body.get("data", {})))
        return _refuse(400, ",".join(f"request.body.data {p}" for p in problems)) if problems else None

    def _told(self, identifier: str) -> web.Response:
        stored = self.stored[identifier]
        told = {"id": identifier, "name": stored["name"], "type": stored["type"]}
        return web.json_response({**told, "updatedAt": "2026-01-01T00:00:00.000Z"})


def _problems(schema: dict[str, Any], data: dict[str, Any]) -> Iterator[str]:
    kinds = {"string": str, "number": int | float, "boolean": bool, "json": object, "notice": str}
    for name, value in data.items():
        declared = schema["properties"].get(name)
        if declared is None:
            yield f'is not allowed to have the additional property "{name}"'
        elif not isinstance(value, kinds[declared["type"]]):
            yield f"{name} is not of a type(s) {declared['type']}"
        elif value not in declared.get("enum", [value]):
            yield f"{name} is not one of enum values: {','.join(declared['enum'])}"
    required = [*schema["required"]]
    for rule in schema.get("allOf", []):
        ((name, condition),) = rule["if"]["properties"].items()
        if name not in data or data[name] in condition["enum"]:
            required += [known for part in rule["then"]["allOf"] for known in part["required"]]
    yield from (f'requires property "{name}"' for name in required if name not in data)


def _refuse(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
