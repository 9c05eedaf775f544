"""Calls of a workflow that others sign, instead of presenting a key (platform §13.2, §14, decision 0022)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from shared.model.signing import Signer, WebhookSecrets
from shared.services.platform import Platform
from shared.services.runs.idempotency import Once
from shared.services.secrets import open_text, signing_secret
from shared.signatures import Signature, SigningSecret
from shared.store import refs
from shared.store.store import Found
from shared.vault.errors import CannotOpen

_IN_A_THREAD = 256 * 1024
"""Bytes from which on a body is hashed beside the event loop."""

_LONGEST_NAME = 256
_LONGEST_CHALLENGE = 1000


async def signer_of(
    platform: Platform, signature: Signature, found: Found[WebhookSecrets] | None, raw: bytes
) -> Signer:
    """Return who signed a call; ``found`` are the secrets of its workflow, ``raw`` is what arrived.

    Raises:
        Unauthorized (``INVALID_SIGNATURE``): nobody who may. A workflow without secrets looks like one that
            does not exist.
    """
    secrets = await _opened(platform, signature.kind, found.value) if found else []
    if len(raw) < _IN_A_THREAD:
        match = signature.match(raw, secrets)
    else:
        match = await asyncio.to_thread(signature.match, raw, secrets)
    labels = {secret.secret_id: secret.label for secret in found.value.secrets} if found else {}
    return Signer(
        vendor=match.vendor,
        secret_id=match.secret_id,
        label=labels.get(match.secret_id),
        delivery_id=match.delivery_id,
    )


async def _opened(platform: Platform, kind: str, of: WebhookSecrets) -> list[SigningSecret]:
    opened = []
    for secret in of.secrets:
        if secret.kind != kind:
            continue
        context = signing_secret(of.organization_id, of.process_instance_id, of.workflow_id, secret.secret_id)
        # One that cannot be opened any more must not keep the others from being tried.
        with suppress(CannotOpen):
            text = await open_text(platform, secret.sealed, context)
            opened.append(SigningSecret(secret.secret_id, secret.kind, text))
    return opened


def described(signer: Signer, headers: Mapping[str, str], body: object) -> Signer:
    """Return a signer with what its vendor tells of the delivery: which one it is, and what happened."""
    told = body if isinstance(body, dict) else {}
    in_body = {"stripe": "id", "slack": "event_id"}.get(signer.vendor)
    event = headers.get("x-github-event") if signer.vendor == "github" else told.get("type")
    return signer.model_copy(
        update={
            "delivery_id": _name(signer.delivery_id) or _name(told.get(in_body) if in_body else None),
            "event": _name(event),
        }
    )


def _name(value: object) -> str | None:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        return None
    return value if value.isascii() and value.isprintable() else None


def once_of(signer: Signer, process_instance_id: str, workflow_id: str) -> Once | None:
    """Return where a delivery is remembered, so that it begins one run; ``None`` for one without an id.

    Its id alone tells it: what is delivered again may differ, as Stripe counts its own tries in the event. It
    is looked up only when the commit of the run finds it taken, so that a first delivery costs no read.
    """
    if signer.delivery_id is None:
        return None
    ref = refs.remembered_call(
        "delivery", process_instance_id, workflow_id, signer.secret_id, signer.delivery_id
    )
    return Once(ref, None, "delivery")


def challenge_of(signer: Signer, body: object) -> str | None:
    """Return what Slack wants to hear before it sends events to an address; ``None`` for other calls."""
    if signer.vendor != "slack" or not isinstance(body, dict) or body.get("type") != "url_verification":
        return None
    challenge = body.get("challenge")
    is_one = isinstance(challenge, str) and 0 < len(challenge) <= _LONGEST_CHALLENGE
    return challenge if is_one else None


def signed_payload(body: object) -> dict[str, object]:
    """Return the payload of a signed call: its body as it is (platform §13.3).

    What is no object goes under ``data``. The one thing that is unwrapped is an object under ``payload`` with
    nothing beside it.
    """
    if body is None:
        return {}
    if not isinstance(body, dict):
        return {"data": body}
    inner = body.get("payload")
    return inner if len(body) == 1 and isinstance(inner, dict) else body
