"""Invitations into an organization."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document
from shared.model.organization import Role


class InvitationStatus(StrEnum):
    """Where an invitation stands; an expired one stays pending."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REVOKED = "revoked"


class Invitation(Document):
    """An invitation mailed to an address. The token that accepts it is stored nowhere."""

    invitation_id: str
    organization_id: str
    email: str
    role: Role
    status: InvitationStatus = InvitationStatus.PENDING
    invited_by: str
    created_at: datetime
    expires_at: datetime
    token_digest: str
    """SHA-256 in hex of the token's secret part: 256 random bits need no salt."""
    accepted_at: datetime | None = None
    accepted_by: str | None = None
    revoked_at: datetime | None = None
    expire_at: datetime
    """When the document may be forgotten."""
