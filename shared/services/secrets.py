"""Where the platform's own secrets belong, and opening them.

Each constructor names the context a secret is sealed for; a ciphertext copied elsewhere does not open.
"""

from __future__ import annotations

from shared.model.integrations import Holder
from shared.services.platform import Platform
from shared.vault.boxed import Capability, Sealed
from shared.vault.context import Context

_MAY_OPEN = Capability("hand the platform's own secrets to n8n")

PLATFORM = "platform"
"""Stands for the organization in contexts of secrets that belong to none."""


def webhook_secret(organization_id: str) -> Context:
    """The value of the header that an organization's webhooks demand."""
    return Context(organization_id, "organization", organization_id, "n8n", "webhookAuth")


def backend_api_key(backend_id: str) -> Context:
    """The API key of an n8n backend."""
    return Context(PLATFORM, "backend", backend_id, "n8n", "apiKey")


def execution_auth(organization_id: str, user_id: str) -> Context:
    """A member's execution secret."""
    return Context(organization_id, "member", user_id, "platform", "executionAuth")


def instance_key(organization_id: str, process_instance_id: str) -> Context:
    """The raw instance key, kept so that its owner can reveal it."""
    return Context(organization_id, "process_instance", process_instance_id, "platform", "instanceKey")


def signing_secret(
    organization_id: str, process_instance_id: str, workflow_id: str, secret_id: str
) -> Context:
    """A secret that calls of one workflow of an installation are signed with."""
    owner = (organization_id, "process_instance", process_instance_id)
    return Context(*owner, f"webhook:{workflow_id}", secret_id)


def event_secret(organization_id: str, subscription_id: str) -> Context:
    """What a subscriber's events are signed with."""
    return Context(organization_id, "organization", organization_id, "events", subscription_id)


def integration_secret(holder: Holder, integration_id: str, name: str) -> Context:
    """One secret of an integration."""
    owner = (holder.organization_id, holder.context_type.value, holder.owner)
    return Context(*owner, f"integration:{integration_id}", name)


def oauth_verifier(organization_id: str, state_digest: str) -> Context:
    """The PKCE verifier of an authorization that was begun."""
    return Context(organization_id, "oauth_flow", state_digest, "platform", "verifier")


async def open_text(platform: Platform, sealed: str, context: Context) -> str:
    """Return an opened secret as text. Callers pass it on at once and keep it nowhere.

    Raises:
        CannotOpen: the ciphertext is damaged, or was sealed for another place.
    """
    secret = await platform.vault.open(Sealed(sealed), context)
    return secret.reveal(_MAY_OPEN)


async def seal_text(platform: Platform, plaintext: str, context: Context) -> str:
    """Return the stored form of a secret."""
    return (await platform.vault.seal(plaintext, context)).text
