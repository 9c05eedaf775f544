"""Organizations, their members, and the n8n backend they run on (platform §3)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document


class Role(StrEnum):
    """A member's role. Owner and admin are the management roles."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"

    @property
    def manages(self) -> bool:
        """Whether this is a management role."""
        return self is not Role.MEMBER


class N8nBackend(Document):
    """One n8n installation. A shard: organizations are assigned to a backend.

    ``organization_id`` is set when an organization brought its own n8n.
    """

    base_url: str
    api_key: str
    """Sealed."""
    organization_id: str | None = None


class WebhookAuth(Document):
    """The header-auth credential that n8n webhooks of the organization demand (platform §14.1)."""

    credential_id: str
    credential_name: str
    secret: str
    """Sealed header value."""
    secret_digest: str
    """SHA-256 of the header value: recognises the error workflow's calls without opening anything."""


class Organization(Document):
    """A tenant."""

    name: str
    created_by: str
    created_at: datetime
    description: str = ""
    size: str | None = None
    logo_url: str | None = None
    backend_id: str
    n8n_base_url: str
    webhook_auth: WebhookAuth | None = None
    error_workflow_id: str | None = None


class Member(Document):
    """A user's membership. Runs that start inside n8n are registered with the member's execution secret."""

    organization_id: str
    user_id: str
    role: Role
    created_at: datetime
    execution_auth: str
    """Sealed execution secret."""
    execution_auth_digest: str
    """SHA-256 of the execution secret."""
