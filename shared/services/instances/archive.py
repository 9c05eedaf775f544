"""Put installations away, and get them back. Nothing is lost by either."""

from __future__ import annotations

from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.instance_events import Event, after
from shared.services.access import accessible_instance
from shared.services.audit import audited
from shared.services.instances.allowed import is_to_do
from shared.services.instances.switch import switch
from shared.services.instances.turn import in_progress, turn_at
from shared.services.platform import Platform
from shared.store import refs


async def archive(platform: Platform, key: ApiKey, process_instance_id: str, *, put_away: bool) -> bool:
    """Archive an installation, which pauses it, or get it back, paused; return whether anything changed.

    Raises:
        NotFound, Forbidden, Conflict (``DEPLOYMENT_IN_PROGRESS``), UpstreamError: n8n is down, and the
            installation is not archived, or n8n follows when it is back.
    """
    found = await accessible_instance(platform, key, process_instance_id)
    instance = found.value
    current = await platform.store.get(refs.deployment(instance.current_deployment_instance_id))
    event = Event.ARCHIVED if put_away else Event.UNARCHIVED
    if not is_to_do(event, instance, current.value if current else None):
        return False
    entry = audited(
        platform,
        key,
        AuditAction.INSTANCE_ARCHIVED if put_away else AuditAction.INSTANCE_UNARCHIVED,
        instance.organization_id,
        process_instance_id,
    )
    if put_away:
        await switch(platform, found, event, key, entry)
        return True
    # n8n has nothing of it, so it is not asked.
    async with turn_at(platform, found.ref) as turn:
        present = await platform.store.get(found.ref)
        if present is None:
            raise in_progress()
        await turn.end(after(event, present.value), entry)
    return True
