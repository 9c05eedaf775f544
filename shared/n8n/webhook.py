"""Calling a webhook of a workflow: at most once, and knowing afterwards what n8n has of it (nodes §11)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum, auto

import httpx
import orjson

from shared import json_text
from shared.n8n.connections import Connections
from shared.telemetry.spans import client_span

AUTH_HEADER = "X-Codika-Webhook-Auth"

_CONNECT_SECONDS = 5.0
# Enough for every text of n8n's own; a workflow's longer answer is not wanted.
_LONGEST_READ = 16 * 1024
_TOO_LARGE = "request entity too large"
_USUAL_LIMIT = 16 * 1024 * 1024
"""Bytes that n8n takes unless N8N_PAYLOAD_SIZE_MAX says otherwise."""
_NOT_BEGUN = "There was a problem executing the workflow"


class WebhookOutcome(Enum):
    """What a call came to. No other outcome exists, and :meth:`WebhookCaller.call` never raises instead."""

    NOT_REACHED = auto()
    """n8n did not get the whole request, or said it is not up yet: sending it again is safe."""
    ACCEPTED = auto()
    """n8n has it: it answered 2xx, or had not answered when the time was over."""
    REFUSED_NOT_REGISTERED = auto()
    """n8n has no such webhook. Nothing ran."""
    REFUSED_FORBIDDEN = auto()
    """n8n refused the auth header or the address. Nothing ran."""
    REFUSED_TOO_LARGE = auto()
    """The payload is larger than n8n takes (``N8N_PAYLOAD_SIZE_MAX``). Nothing ran."""
    FAILED_IN_WORKFLOW = auto()
    """The workflow ran and failed; the error workflow reports it."""
    UNKNOWN = auto()
    """It broke off after sending, or something answered that is not n8n itself: ask n8n for the run."""


@dataclass(slots=True)
class Progress:
    """How far a request got: told by the transport, for exceptions do not tell reliably."""

    sent: bool = False

    async def __call__(self, event: str, info: object) -> None:
        """Take note of an event of the transport."""
        if event.endswith("send_request_body.complete"):
            self.sent = True


class WebhookCaller:
    """Calls webhooks of any n8n over shared connections."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def call(
        self,
        url: str,
        method: str,
        body: bytes,
        auth_header: str,
        *,
        accept_timeout: float,
        progress: Progress | None = None,
    ) -> WebhookOutcome:
        """Send a JSON body, whatever the method, and return what became of it.

        ``accept_timeout`` is in seconds. A run goes on in n8n when the answer is not waited for.
        ``progress`` tells meanwhile whether the whole request was sent.
        """
        progress = progress or Progress()
        try:
            async with asyncio.timeout(accept_timeout):
                return await self._call(url, method, body, auth_header, progress)
        except TimeoutError:
            return WebhookOutcome.ACCEPTED if progress.sent else WebhookOutcome.NOT_REACHED
        # ValueError: an address or a header that cannot be written down.
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return WebhookOutcome.UNKNOWN if progress.sent else WebhookOutcome.NOT_REACHED

    async def _call(
        self, url: str, method: str, body: bytes, auth_header: str, progress: Progress
    ) -> WebhookOutcome:
        told = {"http.request.method": method}
        with client_span("n8n.webhook", told) as trace:
            async with self._connections.to(url).stream(
                method,
                url,
                content=body,
                headers={"Content-Type": "application/json", AUTH_HEADER: auth_header, **trace},
                timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS, pool=_CONNECT_SECONDS),
                extensions={"trace": progress},
            ) as answer:
                return _judge(answer, await _read(answer), len(body))


async def _read(answer: httpx.Response) -> bytes:
    """Return the beginning of the body; empty when it does not come."""
    read = bytearray()
    try:
        async for chunk in answer.aiter_bytes():
            read += chunk
            if len(read) >= _LONGEST_READ:
                break
    except httpx.HTTPError:
        # The status is known and decides; what the workflow says is not wanted.
        return b""
    return bytes(read)


def _judge(answer: httpx.Response, body: bytes, sent: int) -> WebhookOutcome:
    """Only n8n's own words are a refusal: a workflow may answer with any status it likes."""
    status, message = answer.status_code, _message(body)
    # Until its database is migrated n8n answers every path like this, with 200.
    if body.startswith(b"n8n is starting up") or (status == 503 and message == "Database is not ready!"):
        return WebhookOutcome.NOT_REACHED
    if answer.is_success:
        return WebhookOutcome.ACCEPTED
    if status == 404 and "not registered" in message:
        return WebhookOutcome.REFUSED_NOT_REGISTERED
    if status in (401, 403) and _is_n8n_refusing(answer, body):
        return WebhookOutcome.REFUSED_FORBIDDEN
    if _is_too_large(status, message, body, sent):
        return WebhookOutcome.REFUSED_TOO_LARGE
    if status == 500 and message == "Error in workflow":
        return WebhookOutcome.FAILED_IN_WORKFLOW
    return WebhookOutcome.UNKNOWN


def _is_n8n_refusing(answer: httpx.Response, body: bytes) -> bool:
    realm = answer.headers.get("www-authenticate", "")
    return realm == 'Basic realm="Webhook"' or body.startswith(b"IP is not allowed")


def _is_too_large(status: int, message: str, body: bytes, sent: int) -> bool:
    # A proxy before n8n says 413. n8n itself says only that it could not begin; of what is larger than it
    # takes unless told otherwise, that is the reason.
    if status == 500 and message == _NOT_BEGUN:
        return sent > _USUAL_LIMIT
    return status == 413 and _TOO_LARGE in body.decode(errors="replace").lower()


def _message(body: bytes) -> str:
    try:
        document = json_text.loads(body)
    except orjson.JSONDecodeError:
        return ""
    message = document.get("message") if isinstance(document, dict) else None
    return message if isinstance(message, str) else ""
