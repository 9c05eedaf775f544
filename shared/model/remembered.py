"""Calls that are remembered, so that a repeat has no second effect (decision 0021)."""

from __future__ import annotations

from datetime import datetime

from shared.model.document import Document


class RememberedCall(Document):
    """A call and the run it began. Of its key and its body only digests are kept."""

    organization_id: str
    process_instance_id: str
    execution_id: str
    fingerprint: str
    accepted: bool = False
    """Whether the run is on its way, so that a repeat needs nothing but this document."""
    lease_until: datetime
    """Until then whoever began the run is thought to be at it."""
    expire_at: datetime
    """From then on it is as if the call had never been made."""
