"""A credential in n8n; its data goes in and never comes back."""

from __future__ import annotations

from datetime import datetime

from shared.model.document import Document


class CredentialState(Document):
    """A stored credential: what n8n tells about it."""

    id: str
    name: str
    type: str
    updated_at: datetime
