"""Organizations, their members, and the n8n backend they run on (platform §3)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document
from shared.model.plans import ALLOWANCES, Plan


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


class Shards(Document):
    """The backends that take organizations without an n8n of their own."""

    backend_ids: list[str] = []


class WebhookAuth(Document):
    """The header-auth credential that n8n webhooks of the organization demand (platform §14.1)."""

    credential_id: str
    credential_name: str
    secret: str
    """Sealed header value."""
    secret_digest: str
    """SHA-256 of the header value: recognises the error workflow's calls without opening anything."""


class Size(StrEnum):
    """How many people work in an organization."""

    SOLO = "solo"
    UP_TO_10 = "2-10"
    UP_TO_50 = "11-50"
    UP_TO_200 = "51-200"
    UP_TO_1000 = "201-1000"
    MORE = "1000+"


class Logo(Document):
    """An uploaded logo: a blob of the organization."""

    digest: str
    media_type: str


class Organization(Document):
    """A tenant."""

    name: str
    created_by: str
    created_at: datetime
    description: str = ""
    size: Size | None = None
    logo_url: str | None = None
    logo: Logo | None = None
    """Absent where the logo is kept elsewhere."""
    plan: Plan = Plan.FREE
    extra_seats: int = 0
    """Seats beyond those of the plan."""
    backend_id: str
    n8n_base_url: str
    self_hosted: bool = False
    """Whether the organization brought its own n8n."""
    store_credential_copy: bool = False
    """Whether credentials that live in the organization's own n8n are kept here too, sealed."""
    webhook_auth: WebhookAuth | None = None
    error_workflow_id: str | None = None

    @property
    def seats(self) -> int:
        """How many members the organization may have."""
        return ALLOWANCES[self.plan].seats + self.extra_seats


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


class Team(Document):
    """Members who are named together when a process is shared."""

    organization_id: str
    team_id: str
    name: str
    member_ids: list[str] = []
    created_at: datetime
