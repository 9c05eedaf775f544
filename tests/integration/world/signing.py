"""Calling a workflow as a third party does that signs its webhooks, and keeping its secrets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.integration.world.installations import Installation
from tests.integration.world.integrations import encrypted
from tests.integration.world.world import World

Headers = dict[str, str]
BODY = b'{"type":"invoice.paid","amount":5}'
WHSEC = "whsec_" + base64.b64encode(b"a key of a third party  ").decode()


def _tag(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)


def standard(body: bytes, secret: str, at: int, event: str = "evt_1", prefix: str = "webhook") -> Headers:
    """Sign as Standard Webhooks describes."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    tag = base64.b64encode(_tag(key, f"{event}.{at}.".encode() + body)).decode()
    return {f"{prefix}-id": event, f"{prefix}-timestamp": str(at), f"{prefix}-signature": f"v1,{tag}"}


def svix(body: bytes, secret: str, at: int, event: str = "evt_1") -> Headers:
    """Sign as Clerk, Resend and other customers of Svix do."""
    return standard(body, secret, at, event, "svix")


def stripe(body: bytes, secret: str, at: int) -> Headers:
    """Sign as Stripe does."""
    return {"Stripe-Signature": f"t={at},v1={_tag(secret.encode(), f'{at}.'.encode() + body).hex()}"}


def github(body: bytes, secret: str, at: int) -> Headers:
    """Sign as GitHub does, which signs no time."""
    told = {"X-GitHub-Event": "push", "X-GitHub-Delivery": f"72d3162e-{at}"}
    return {"X-Hub-Signature-256": f"sha256={_tag(secret.encode(), body).hex()}", **told}


def slack(body: bytes, secret: str, at: int) -> Headers:
    """Sign as Slack does."""
    tag = _tag(secret.encode(), f"v0:{at}:".encode() + body).hex()
    return {"X-Slack-Signature": f"v0={tag}", "X-Slack-Request-Timestamp": str(at)}


Sign = Callable[[bytes, str, int], Headers]
VENDORS: dict[str, Sign] = {
    "standard": standard,
    "svix": svix,
    "stripe": stripe,
    "github": github,
    "slack": slack,
}


def kind_of(vendor: str) -> str:
    """The kind of secret that a vendor's calls are signed with."""
    return "standard" if vendor == "svix" else vendor


@dataclass(frozen=True, slots=True)
class Sender:
    """Third parties that call one workflow of an installation."""

    world: World
    installed: Installation
    workflow: str = "main"

    async def create(self, key: str | None = None, **body: Any) -> httpx.Response:
        """Ask for a new secret, by default as the owner of the installation's organization."""
        named = {"processInstanceId": self.installed.id, "workflowId": self.workflow, **body}
        owner = key or self.installed.tenant.keys["owner"]
        return await self.world.gateway.post("/createWebhookSecretPublic", owner, named)

    async def paste(self, kind: str, secret: str, label: str | None = None) -> str:
        """Add a sender's secret, and return its id."""
        sent = await encrypted(self.world, {"secret": secret})
        answer = await self.create(kind=kind, label=label, secret=sent["secret"])
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["secretId"])

    async def mint(self, label: str | None = None) -> tuple[str, str]:
        """Have a secret made, and return its id and its text."""
        answer = await self.create(label=label)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["secretId"], answer.json()["data"]["secret"]

    async def delete(self, secret_id: str, key: str | None = None) -> httpx.Response:
        """Ask for a secret to be deleted."""
        body = {
            "processInstanceId": self.installed.id,
            "workflowId": self.workflow,
            "secretId": secret_id,
        }
        owner = key or self.installed.tenant.keys["owner"]
        return await self.world.gateway.post("/deleteWebhookSecretPublic", owner, body)

    async def listed(self, key: str | None = None) -> list[dict[str, Any]]:
        """The secrets of the installation, as they are shown."""
        owner = key or self.installed.tenant.keys["owner"]
        answer = await self.world.gateway.get(
            "/listWebhookSecretsPublic", owner, processInstanceId=self.installed.id
        )
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]["webhookSecrets"]
        return rows

    async def send(
        self,
        vendor: str,
        secret: str,
        body: bytes = BODY,
        *,
        at: int | None = None,
        content_type: str = "application/json",
        arriving: bytes | None = None,
        headers: Headers | None = None,
    ) -> httpx.Response:
        """Call the workflow with a signed body; another one may arrive than was signed."""
        signed = VENDORS[vendor](body, secret, int(time.time()) if at is None else at)
        return await self.world.gateway.http.post(
            f"/webhook/{self.installed.id}/{self.workflow}",
            content=body if arriving is None else arriving,
            headers={"Content-Type": content_type, **signed, **(headers or {})},
        )


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Return status, code and message of a refused call."""
    return answer.status_code, answer.json()["code"], answer.json()["error"]
