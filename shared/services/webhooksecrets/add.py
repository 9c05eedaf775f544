"""Add a secret that calls of a workflow may be signed with: a vendor's own, or one that is made here."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from shared.errors import Conflict, InvalidRequest, NotFound
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.endpoint import Endpoint
from shared.model.signing import SecretKind, WebhookSecret, WebhookSecrets
from shared.services.audit import audited
from shared.services.installations.own import own_or_managed
from shared.services.integrations.values import SentSecret, open_sent, require_encrypted
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.services.secrets import signing_secret
from shared.signatures import check_secret
from shared.store import refs
from shared.store.store import Create, Found, Patch, Write
from shared.vault.boxed import Capability, Secret

MOST = 10
"""Secrets of one workflow: each may be tried for a signed call."""

_MAY_CHECK = Capability("check that a text can be a secret that calls are signed with")
_MAY_HAND_OUT = Capability("hand a secret that was just made to whoever asked for it")


@dataclass(frozen=True, slots=True)
class Added:
    """A secret that was added. ``minted`` is its text, if it was made here: it is shown this once."""

    secret: WebhookSecret
    minted: str | None = field(default=None, repr=False)


async def add_secret(
    platform: Platform,
    key: ApiKey,
    process_instance_id: str,
    workflow_id: str,
    *,
    kind: SecretKind,
    sent: SentSecret | None,
    label: str | None,
) -> Added:
    """Return the new secret; without one that was ``sent``, a secret of Standard Webhooks is made.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``, ``WORKFLOW_NOT_FOUND``), Forbidden: the caller neither owns the
            installation nor manages its organization.
        InvalidRequest: the text cannot be a secret of that kind, or was sent in clear (``PLAINTEXT_SECRET``).
        DecryptionFailed: it was not encrypted to this platform's key.
        Conflict (``MAX_WEBHOOK_SECRETS_REACHED``, ``INSTANCE_UNINSTALLED``)
    """
    instance = await own_or_managed(platform, key, process_instance_id, "add webhook secrets to it")
    organization_id = instance.value.organization_id
    text = _minted(platform, kind) if sent is None else await _pasted(platform, kind, sent)
    secret_id = platform.sources.auto_id()
    place = signing_secret(organization_id, process_instance_id, workflow_id, secret_id)
    secret = WebhookSecret(
        secret_id=secret_id,
        kind=kind,
        label=label,
        sealed=(await platform.vault.seal(text, place)).text,
        created_by=key.user_id,
        created_at=platform.sources.now(),
    )
    entry = audited(
        platform,
        key,
        AuditAction.WEBHOOK_SECRET_ADDED,
        organization_id,
        process_instance_id,
        workflow_id=workflow_id,
        secret_id=secret_id,
        kind=kind.value,
        label=label,
    )

    async def attempt() -> None:
        reference = refs.webhook_secrets(process_instance_id, workflow_id)
        present, endpoint = await platform.store.fetch(
            reference, refs.endpoint(process_instance_id, workflow_id)
        )
        _require_workflow(endpoint, process_instance_id, workflow_id)
        of = WebhookSecrets(
            organization_id=organization_id,
            process_instance_id=process_instance_id,
            workflow_id=workflow_id,
            secrets=[secret],
        )
        write: Write = Create(reference, of)
        if present is not None:
            write = Patch(reference, {"secrets": _more(present.value, secret)}, present.update_time)
        await platform.store.commit(write, entry)

    await until_undisturbed(attempt)
    return Added(secret, text.reveal(_MAY_HAND_OUT) if sent is None else None)


def _require_workflow(found: Found[Endpoint] | None, process_instance_id: str, workflow_id: str) -> None:
    if found is None:
        raise NotFound(
            f"Workflow {workflow_id} not found in process instance {process_instance_id}.",
            code="WORKFLOW_NOT_FOUND",
        )


def _more(of: WebhookSecrets, secret: WebhookSecret) -> list[WebhookSecret]:
    if len(of.secrets) >= MOST:
        raise Conflict(
            f"A workflow has at most {MOST} webhook secrets. Delete one that is not used any more.",
            code="MAX_WEBHOOK_SECRETS_REACHED",
        )
    return [*of.secrets, secret]


def _minted(platform: Platform, kind: SecretKind) -> Secret:
    if kind is not SecretKind.STANDARD:
        raise InvalidRequest(
            f"A secret for {kind.value} comes from there: send it encrypted, as secret.", field="secret"
        )
    raw = base64.urlsafe_b64decode(platform.sources.token() + "=")
    return Secret("whsec_" + base64.b64encode(raw).decode())


async def _pasted(platform: Platform, kind: SecretKind, sent: SentSecret) -> Secret:
    require_encrypted(platform, "secret", sent)
    text = (await open_sent(platform, sent)).reveal(_MAY_CHECK).strip()
    if wrong := check_secret(kind.value, text):
        raise InvalidRequest(f"The secret cannot be used: {wrong}.", field="secret", reason=wrong)
    return Secret(text)
