"""What the audit log of an organization tells."""

from __future__ import annotations

from shared.model.audit import AuditAction, AuditEvent
from shared.store import refs
from shared.store.query import below, find
from tests.integration.world.world import World


async def events(world: World, organization_id: str, action: AuditAction) -> list[AuditEvent]:
    """Return the entries of one action, oldest first."""
    query = below(refs.organization(organization_id), "auditEvents", AuditEvent)
    found = await find(world.platform.store, query.where("action", "==", action.value))
    return sorted((entry.value for entry in found), key=lambda event: event.created_at)
