"""The document as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.http.access import TaskCall
from shared.http.artefacts.openapi.answers import failures
from shared.http.artefacts.openapi.operation import operation
from shared.http.artefacts.openapi.schemas import Schemas
from shared.http.declaration import Endpoint
from shared.http.examples import Example

_ABOUT = """\
Podium turns n8n workflows into products: deploy an ensemble of workflows as one version, install it,
trigger it, follow its runs.

Send your key in the header `X-API-Key` or `X-Process-Manager-Key`, or as a bearer token; instance keys
(`ck_…`) may also be sent as the query parameter `api_key`. Paths are found in any case. Every answer carries
a `requestId`, in its body and in the header `X-Request-Id`: quote it when you ask for help. An answer with
status 429 says in `Retry-After` how many seconds to wait; `RateLimit` and `RateLimit-Policy` tell how much is
left.
"""


def _signature(header: str, description: str) -> dict[str, str]:
    return {"type": "apiKey", "in": "header", "name": header, "description": description}


_SECURITY = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "managerKey": {"type": "apiKey", "in": "header", "name": "X-Process-Manager-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "instanceKeyInQuery": {"type": "apiKey", "in": "query", "name": "api_key"},
    "webhookSecret": {"type": "apiKey", "in": "header", "name": "X-Codika-Webhook-Auth"},
    "standardWebhooks": _signature("webhook-signature", "With webhook-id and webhook-timestamp."),
    "svix": _signature("svix-signature", "With svix-id and svix-timestamp."),
    "stripe": _signature("Stripe-Signature", "As Stripe makes it."),
    "github": _signature("X-Hub-Signature-256", "As GitHub makes it."),
    "slack": _signature("X-Slack-Signature", "With X-Slack-Request-Timestamp."),
}


def openapi(
    endpoints: Iterable[Endpoint], version: str, examples: Mapping[str, Example] | None = None
) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document; task handlers are not part of it. ``examples`` are by endpoint."""
    public = [endpoint for endpoint in endpoints if not isinstance(endpoint.access, TaskCall)]
    schemas = Schemas(public, examples or {})
    operations = {e.path: {e.method.lower(): operation(e, schemas)} for e in public}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Podium", "version": version, "description": _ABOUT},
        # Relative to this document, so that it holds below any base path.
        "servers": [{"url": "."}],
        "tags": [{"name": noun} for noun in sorted({endpoint.noun for endpoint in public})],
        "paths": operations,
        "components": {"schemas": {**schemas.components, **failures()}, "securitySchemes": _SECURITY},
    }
