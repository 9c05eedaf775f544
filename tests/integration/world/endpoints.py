"""What a test needs to call any declared endpoint: a path, a caller, a fitting body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from functions import load_all
from shared.http.access import BodySecret, HeaderSecret, Keyed, TaskCall
from shared.http.declaration import REGISTRY, Endpoint, Envelope
from tests.integration.world.installations import Installation
from tests.integration.world.world import World

load_all()

ALL = REGISTRY.all()
KEYED = tuple(endpoint for endpoint in ALL if isinstance(endpoint.access, Keyed))
POSTS = tuple(endpoint for endpoint in ALL if endpoint.method == "POST")
TASKS = tuple(endpoint for endpoint in ALL if isinstance(endpoint.access, TaskCall))


def name_of(endpoint: Endpoint) -> str:
    """The id of a parametrized test."""
    return endpoint.name


@dataclass(frozen=True, slots=True)
class Admitted:
    """Headers of a caller that every endpoint lets in, and paths on an installation that exists."""

    world: World
    installed: Installation
    execution_id: str

    def path(self, endpoint: Endpoint, name: str | None = None) -> str:
        """Return the path of an endpoint with parameters that exist; ``name`` may be an alias."""
        known = {
            "processInstanceId": self.installed.id,
            "workflowId": "main",
            "processId": self.installed.process_id,
            "executionId": self.execution_id,
            "jobId": "job",
            "file": "public.pem",
            "asset": "start.js",
            "organizationId": self.installed.tenant.organization_id,
        }
        return "/" + "/".join([name or endpoint.name, *(known[param] for param in endpoint.params)])

    def headers(self, endpoint: Endpoint) -> dict[str, str]:
        """Return what lets a caller in: a key with every scope, a task's token, a webhook secret."""
        match endpoint.access:
            case Keyed(kinds=kinds):
                return {"X-API-Key": self.installed.tenant.key_among(kinds)}
            case TaskCall():
                return {"Authorization": f"Bearer {self.world.task_token()}"}
            case HeaderSecret():
                return {"X-Codika-Webhook-Auth": self.installed.tenant.webhook_secret}
            case _:
                return {}

    async def call(self, endpoint: Endpoint, method: str | None = None, **options: Any) -> httpx.Response:
        """Call an endpoint as that caller."""
        return await self.world.gateway.http.request(
            method or endpoint.method, self.path(endpoint), headers=self.headers(endpoint), **options
        )


def takes_a_secret(endpoint: Endpoint) -> bool:
    """Whether a workflow or n8n calls it."""
    return isinstance(endpoint.access, BodySecret | HeaderSecret)


def failure(endpoint: Endpoint, answer: httpx.Response) -> tuple[int, str, str]:
    """Return status, code and message of a refusal, after checking the endpoint's envelope (api §2)."""
    body: Mapping[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert body["success"] is False
    assert body["requestId"] == answer.headers["x-request-id"]
    if endpoint.envelope is Envelope.INGESTION:
        assert set(body) == {"success", "error", "status", "requestId"}
        assert body["status"] == "failed"
        return answer.status_code, _code_of(answer.status_code, body["error"]), body["error"]
    if endpoint.envelope is Envelope.FLAT:
        assert set(body) == {"success", "error", "code", "requestId"}
        return answer.status_code, body["code"], body["error"]
    assert set(body) == {"success", "error", "requestId"}
    optional = {"details", "nextAction"} if endpoint.envelope is Envelope.AUTH else {"details"}
    assert set(body["error"]) <= {"code", "message", *optional}
    assert endpoint.envelope is not Envelope.AUTH or body["error"]["nextAction"]
    return answer.status_code, body["error"]["code"], body["error"]["message"]


_CODES = {
    400: "INVALID_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "BODY_TOO_LARGE",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
}


def _code_of(status: int, message: str) -> str:
    """Return the code of an error whose envelope carries none: its text alone tells refusals apart."""
    return "INSUFFICIENT_SCOPE" if status == 403 and "lacks the scope" in message else _CODES[status]
