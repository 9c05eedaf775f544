"""Put installations away, and get them back. Nothing is lost by either."""

from __future__ import annotations

from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.instance import InactiveReason, ProcessInstance
from shared.model.instance_state import Action
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
            installation is not archived.
    """
    found = await accessible_instance(platform, key, process_instance_id)
    instance = found.value
    current = await platform.store.get(refs.deployment(instance.current_deployment_instance_id))
    action = Action.ARCHIVE if put_away else Action.UNARCHIVE
    if not is_to_do(action, instance, current.value if current else None):
        return False
    if put_away and (instance.is_active or instance.switching):
        await switch(platform, found, False, InactiveReason.ARCHIVED, key)
    entry = audited(
        platform,
        key,
        AuditAction.INSTANCE_ARCHIVED if put_away else AuditAction.INSTANCE_UNARCHIVED,
        instance.organization_id,
        process_instance_id,
    )
    async with turn_at(platform, found.ref) as turn:
        present = await platform.store.get(found.ref)
        if present is None or present.value.is_active:
            raise in_progress()
        await turn.end(_changes(instance, put_away), entry)
    return True


def _changes(instance: ProcessInstance, put_away: bool) -> dict[str, object]:
    if put_away:
        return {"archived": True}
    # It does not start to run by itself.
    paused = instance.inactive_reason is InactiveReason.ARCHIVED
    return {"archived": False, **({"inactive_reason": InactiveReason.USER_PAUSED} if paused else {})}
