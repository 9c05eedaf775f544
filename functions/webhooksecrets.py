"""Secrets that third parties sign their calls of a workflow with (platform §14.2, §14.3)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.scopes import Scope
from shared.model.signing import SecretKind, WebhookSecrets
from shared.services.integrations.values import SentSecret
from shared.services.webhooksecrets.add import add_secret
from shared.services.webhooksecrets.delete import delete_secret
from shared.services.webhooksecrets.list import list_secrets
from shared.vault.errors import DecryptionFailed

_ACCESS = keys(O, P, A, scopes=(Scope.INSTANCES_MANAGE,))
_MOST = 64 * 1024

Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class CreateWebhookSecret(Document):
    """The body of ``createWebhookSecretPublic``.

    ``secret`` is what the sender shows, encrypted with this platform's public key; without it a secret of
    Standard Webhooks is made. ``kind`` is whose way of signing it is for; ``standard`` includes Svix.
    """

    process_instance_id: str = Field(min_length=1)
    workflow_id: str = Field(min_length=1)
    kind: SecretKind = SecretKind.STANDARD
    label: Label | None = None
    secret: SentSecret | None = Field(default=None, repr=False)


class CreatedWebhookSecret(Document):
    """A secret that was added. ``secret`` is there only if it was made here, and never again."""

    process_instance_id: str
    workflow_id: str
    secret_id: str
    kind: SecretKind
    label: str | None = None
    created_at: Timestamp
    secret: str | None = Field(default=None, repr=False)


@endpoint(
    "POST",
    "createWebhookSecretPublic",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=CreateWebhookSecret,
    response=CreatedWebhookSecret,
    errors=(InvalidRequest, DecryptionFailed, Unauthorized, Forbidden, NotFound, Conflict),
    body_limit=_MOST,
)
async def create_webhook_secret_public(call: Call[CreateWebhookSecret]) -> CreatedWebhookSecret:
    """Let whoever has a secret trigger a workflow with signed calls; a workflow has at most ten secrets.

    To replace one add the new one, change it at the sender, then delete the old one: meanwhile both count.
    """
    body = call.body
    added = await add_secret(
        call.platform,
        call.caller,
        body.process_instance_id,
        body.workflow_id,
        kind=body.kind,
        sent=body.secret,
        label=body.label,
    )
    return CreatedWebhookSecret(
        process_instance_id=body.process_instance_id,
        workflow_id=body.workflow_id,
        secret_id=added.secret.secret_id,
        kind=added.secret.kind,
        label=added.secret.label,
        created_at=added.secret.created_at,
        secret=added.minted,
    )


class WebhookSecretsQuery(Document):
    """The query of ``listWebhookSecretsPublic``."""

    process_instance_id: str = Field(min_length=1)
    workflow_id: str | None = None


class ListedWebhookSecret(Document):
    """A secret as it may be shown."""

    workflow_id: str
    secret_id: str
    kind: SecretKind
    label: str | None = None
    created_by: str
    created_at: Timestamp


class ListedWebhookSecrets(Document):
    """Secrets by workflow, the oldest first."""

    webhook_secrets: list[ListedWebhookSecret]
    count: int


@endpoint(
    "GET",
    "listWebhookSecretsPublic",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=WebhookSecretsQuery,
    response=ListedWebhookSecrets,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def list_webhook_secrets_public(call: Call[WebhookSecretsQuery]) -> ListedWebhookSecrets:
    """List which secrets an installation's workflows take, without the secrets."""
    query = call.body
    found = await list_secrets(call.platform, call.caller, query.process_instance_id, query.workflow_id)
    rows = [row for of in found for row in _rows(of)]
    return ListedWebhookSecrets(webhook_secrets=rows, count=len(rows))


def _rows(of: WebhookSecrets) -> list[ListedWebhookSecret]:
    return [
        ListedWebhookSecret(
            workflow_id=of.workflow_id,
            secret_id=secret.secret_id,
            kind=secret.kind,
            label=secret.label,
            created_by=secret.created_by,
            created_at=secret.created_at,
        )
        for secret in of.secrets
    ]


class DeleteWebhookSecret(Document):
    """The body of ``deleteWebhookSecretPublic``."""

    process_instance_id: str = Field(min_length=1)
    workflow_id: str = Field(min_length=1)
    secret_id: str = Field(min_length=1)


class DeletedWebhookSecret(Document):
    """A secret that counts no more."""

    secret_id: str
    deleted: bool = True


@endpoint(
    "POST",
    "deleteWebhookSecretPublic",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=DeleteWebhookSecret,
    response=DeletedWebhookSecret,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def delete_webhook_secret_public(call: Call[DeleteWebhookSecret]) -> DeletedWebhookSecret:
    """Delete a secret: calls signed with it are refused from then on."""
    body = call.body
    await delete_secret(
        call.platform, call.caller, body.process_instance_id, body.workflow_id, body.secret_id
    )
    return DeletedWebhookSecret(secret_id=body.secret_id)
