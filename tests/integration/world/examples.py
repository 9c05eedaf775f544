"""Making the calls that examples show, with real objects in place of the ids they name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from shared.http.access import HeaderSecret, Keyed
from shared.http.declaration import Endpoint, Envelope
from shared.http.examples import IDS
from shared.model.apikey import KeyKind
from tests.security.bodies import request_of
from tests.security.victims import Victim

SHOWN: Mapping[str, Any] = {
    "name": "Order desk",
    "title": "Requirements",
    "content": "# Order desk\n\nTakes orders by mail.",
    "summary": "What the order desk does",
    "email": "ada@example.org",
    "scopes": ["workflows:trigger", "executions:read"],
    "role": "member",
    "plan": "pro",
    "triggerType": "http",
    "type": "slackApi",
}
"""What a field of that name holds in an example."""


def shown_request(endpoint: Endpoint, victim: Victim) -> dict[str, Any]:
    """Return the smallest request, with real ids and with words a person would use."""
    required = {
        info.alias or name
        for name, info in (endpoint.request.model_fields.items() if endpoint.request else ())
        if info.is_required()
    }
    smallest = request_of(endpoint, victim.ids)
    shown = {
        name: SHOWN.get(name, value) if name in required else value
        for name, value in smallest.items()
        if name in required or name in ("processInstanceId", "contextType")
    }
    # A change that changes nothing is refused.
    return {**shown, "name": SHOWN["name"]} if endpoint.name.startswith("update") else shown


async def make(endpoint: Endpoint, victim: Victim, request: Mapping[str, Any]) -> httpx.Response:
    """Call an endpoint as somebody whom it lets in."""
    path = "/" + "/".join([endpoint.name, *(victim.ids[name] for name in endpoint.params)])
    where: dict[str, Any] = {"params": request} if endpoint.method == "GET" else {"json": request}
    headers = await _headers(endpoint, victim)
    return await victim.world.gateway.http.request(endpoint.method, path, headers=headers, **where)


async def _headers(endpoint: Endpoint, victim: Victim) -> dict[str, str]:
    if isinstance(endpoint.access, HeaderSecret):
        return {"X-Codika-Webhook-Auth": victim.tenant.webhook_secret}
    if not isinstance(endpoint.access, Keyed):
        return {}
    kinds = endpoint.access.kinds
    if KeyKind.ORGANIZATION in kinds:
        return {"X-API-Key": victim.tenant.keys["owner"]}
    return {"X-API-Key": victim.tenant.keys_of_none[KeyKind.ADMIN]}


def content(endpoint: Endpoint, answer: httpx.Response) -> dict[str, Any]:
    """Return an answer without its envelope."""
    body: dict[str, Any] = answer.json()
    if endpoint.envelope in (Envelope.DATA, Envelope.AUTH):
        return dict(body["data"])
    return {name: value for name, value in body.items() if name not in ("success", "requestId")}


def anonymous(value: Any, victim: Victim) -> Any:
    """Return a request or an answer with the ids, keys and words that examples use."""
    text = json.dumps(value)
    for name, real in victim.ids.items():
        if name in IDS and len(real) > 15:
            text = text.replace(real, IDS[name])
    for real in victim.tenant.users.values():
        text = text.replace(real, IDS["userId"])
    text = text.replace(victim.canary, "Order desk").replace(victim.tenant.name, "Atelier Nord")
    text = re.sub(r"(ck[opa]?_)[A-Za-z0-9_-]{64}", lambda m: m[1] + "Ab3dE6gH" + "x" * 56, text)
    text = re.sub(r"http://127\.0\.0\.1:\d+", "https://api.example.org", text)
    return json.loads(text)


def resolved(value: Any, victim: Victim) -> Any:
    """Return an example's request with the ids of real objects."""
    text = json.dumps(value)
    for name, shown in IDS.items():
        if name in victim.ids:
            text = text.replace(f'"{shown}"', json.dumps(victim.ids[name]))
    return json.loads(text)


def shape(value: Any) -> Any:
    """Return what a value looks like: the names of objects, the first element of lists, types of the rest."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, bool) or value is None:
        return type(value)
    return (int, float) if isinstance(value, int | float) else type(value)
