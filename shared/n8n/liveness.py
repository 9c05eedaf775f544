"""Knowing that a published version answers (design §5.4).

Publishing is asynchronous in n8n and its API does not tell when it is done. What can be seen from outside
is which methods a webhook path is registered for, without running anything: an ``OPTIONS`` request with an
``Origin`` lists them. A first publish is live when its webhooks are listed. For a republished workflow the
path was listed before, so the version carries a *marker*: a Webhook node without connections whose path
contains the version's hash. n8n registers it after it has switched the workflow to the new version.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

import httpx

from shared.n8n.errors import N8nNotGone, N8nNotLive, N8nUnreachable

MARKER_NAME = "Podium live marker"
_MARKER_METHOD = "HEAD"
_PROBE = {"Origin": "https://podium.invalid"}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """A webhook as registered in n8n: HTTP method and path below ``/webhook/``."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def marker(path: str) -> WebhookAddress:
    """Return the address of the marker node made by :func:`marker_node` for the same path."""
    return WebhookAddress(_MARKER_METHOD, path)


def marker_node(path: str, credential_id: str, credential_name: str) -> dict[str, object]:
    """Return the Webhook node to add to a workflow before it is saved.

    ``path`` must contain a hash of the rest of the workflow and lie under the instance's own path. The node
    has the organization's header-auth credential and leads nowhere.
    """
    identity = str(uuid5(NAMESPACE_URL, path))
    return {
        "id": identity,
        "name": MARKER_NAME,
        "type": "n8n-nodes-base.webhook",
        "typeVersion": 2,
        "position": [-400, -400],
        "webhookId": identity,
        "parameters": {
            "httpMethod": _MARKER_METHOD,
            "path": path,
            "authentication": "headerAuth",
            "options": {},
        },
        "credentials": {"httpHeaderAuth": {"id": credential_id, "name": credential_name}},
    }


async def wait_until_live(
    http: httpx.AsyncClient, base_url: str, webhooks: Iterable[WebhookAddress], deadline_seconds: float
) -> None:
    """Return when n8n has registered every webhook.

    Raises:
        N8nNotLive: some are missing after ``deadline_seconds``; it names them.
        N8nUnreachable: n8n did not answer at the last try.
    """
    missing = await _wait(http, base_url, webhooks, True, deadline_seconds)
    if missing:
        raise N8nNotLive(missing, deadline_seconds)


async def wait_until_gone(
    http: httpx.AsyncClient, base_url: str, webhooks: Iterable[WebhookAddress], deadline_seconds: float
) -> None:
    """Return when n8n takes calls to none of the webhooks any more.

    Raises:
        N8nNotGone: some are registered after ``deadline_seconds``; it names them.
        N8nUnreachable: n8n did not answer at the last try.
    """
    left = await _wait(http, base_url, webhooks, False, deadline_seconds)
    if left:
        raise N8nNotGone(left, deadline_seconds)


async def _wait(
    http: httpx.AsyncClient,
    base_url: str,
    webhooks: Iterable[WebhookAddress],
    wanted: bool,
    deadline_seconds: float,
) -> list[str]:
    """Return when every webhook is registered, or not, as ``wanted``; else those that are otherwise."""
    others = list(dict.fromkeys(webhooks))
    ends, pause = time.monotonic() + deadline_seconds, _FIRST_PAUSE
    while others:
        try:
            seen = await asyncio.gather(*(is_registered(http, base_url, webhook) for webhook in others))
        except N8nUnreachable:
            if time.monotonic() >= ends:
                raise
        else:
            others = [webhook for webhook, there in zip(others, seen, strict=True) if there is not wanted]
        if others and time.monotonic() >= ends:
            break
        if others:
            await asyncio.sleep(pause)
            pause = min(pause * 1.6, _LONGEST_PAUSE)
    return [str(webhook) for webhook in others]


async def is_registered(http: httpx.AsyncClient, base_url: str, webhook: WebhookAddress) -> bool:
    """Return whether n8n would take a call to the webhook now; nothing is run.

    Raises:
        N8nUnreachable: n8n did not answer.
    """
    try:
        answer = await http.options(f"{base_url}/webhook/{webhook.path}", headers=_PROBE, timeout=10.0)
    except httpx.HTTPError:
        raise N8nUnreachable(base_url, "no answer to a webhook probe") from None
    methods = answer.headers.get("access-control-allow-methods", "")
    return webhook.method in {method.strip() for method in methods.split(",")}
