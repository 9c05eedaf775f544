"""A connected integration at rest, and who holds it (platform §7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.model.configuration import CustomIntegration
from shared.model.document import Document


class ContextType(StrEnum):
    """Where credentials belong. ``platform`` is the operator's: shared by every organization on an n8n."""

    ORGANIZATION = "organization"
    MEMBER = "member"
    PROCESS_INSTANCE = "process_instance"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds an integration: an organization, a member or an installation of it, or the platform.

    ``owner`` is the id of that organization, user, process instance or n8n backend. The organization of
    the platform's own is ``platform``.
    """

    context_type: ContextType
    organization_id: str
    owner: str

    @property
    def label(self) -> str:
        """The holder as it is told from the other holders of its organization."""
        if self.context_type in (ContextType.ORGANIZATION, ContextType.PLATFORM):
            return self.context_type.value
        return f"{self.context_type.value}:{self.owner}"

    def use_of(self, integration_id: str) -> str:
        """Return what an installation that stands on this holder's integration names it."""
        return f"{self.label}:{integration_id}"


class Integration(Document):
    """One connected integration. ``holder`` is the label of its holder.

    ``secrets`` are sealed, each for its own place; they are absent where the organization's own n8n keeps
    the only copy. ``backend_id`` is the n8n that has the credential.
    """

    organization_id: str
    integration_id: str
    context_type: ContextType
    holder: str
    backend_id: str
    n8n_credential_id: str | None = None
    n8n_credential_name: str | None = None
    n8n_credential_type: str | None = None
    secrets: dict[str, str] = Field(default={}, repr=False)
    metadata: str = "{}"
    """JSON text of what the client said about the connection, in clear."""
    custom_schema: CustomIntegration | None = None
    has_valid_tokens: bool = True
    forsaken: bool = False
    """Whether its member's membership ended: it is unusable and about to be deleted."""
    connected_at: datetime
    connected_by: str
    account: str | None = None
    """Whose account at the provider it is, as far as the provider says."""
    token_version: str | None = None
    """Names the OAuth tokens that ``secrets`` hold; new ones have another."""
    in_n8n: bool = True
    """Whether n8n is known to have those tokens."""
    next_version: str | None = None
    """The version of tokens that n8n has not got yet; until then their predecessors' order goes on."""
    next_refresh: datetime | None = None
    """When those are to be exchanged in their turn."""
    refreshing_until: datetime | None = None
    """Until then somebody exchanges them for new ones."""


class OAuthFlow(Document):
    """An authorization that was begun; its id is the digest of its state. It is completed once."""

    organization_id: str
    integration_id: str
    context_type: ContextType
    owner: str
    user_id: str
    verifier: str | None = Field(default=None, repr=False)
    """Sealed; gone once it was used."""
    code_digest: str | None = Field(default=None, repr=False)
    """Of the confirmation code that the starter was given."""
    wrong_codes: int = 0
    browser: str | None = Field(default=None, repr=False)
    """Digest of the browser in which somebody agreed: the only one that may come back."""
    metadata: dict[str, str] = {}
    used_at: datetime | None = None
    done: bool = False
    account: str | None = None
    """Whose account was connected."""
    expires_at: datetime
    expire_at: datetime
    """When the document may be forgotten."""

    @property
    def holder(self) -> Holder:
        """Whose integration it is going to be."""
        return Holder(self.context_type, self.organization_id, self.owner)
