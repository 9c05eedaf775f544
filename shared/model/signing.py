"""Secrets that others sign their calls of a workflow with (platform §14.2, §14.3)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document


class SecretKind(StrEnum):
    """Whose way of signing a secret is for. Svix (Clerk, Resend, …) signs as Standard Webhooks does."""

    STANDARD = "standard"
    STRIPE = "stripe"
    GITHUB = "github"
    SLACK = "slack"


class WebhookSecret(Document):
    """One secret. ``sealed`` is its stored form, which never leaves the platform."""

    secret_id: str
    kind: SecretKind
    label: str | None = None
    sealed: str
    created_by: str
    created_at: datetime


class WebhookSecrets(Document):
    """The secrets of one workflow of one installation, oldest first.

    A document of its own: a deployment writes endpoints anew, and may not lose what users pasted.
    """

    organization_id: str
    process_instance_id: str
    workflow_id: str
    secrets: list[WebhookSecret] = []


class Signer(Document):
    """Who signed a call: the caller of a run that no key started.

    ``delivery_id`` is the same for every delivery of one event, ``event`` the vendor's name of what happened;
    both as the vendor's headers or body have them.
    """

    vendor: str
    secret_id: str
    label: str | None = None
    delivery_id: str | None = None
    event: str | None = None
