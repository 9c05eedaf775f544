"""Uninstall what was installed (platform §12, decision 0017).

    off and put away ─► remove: workflows in n8n ─► own credentials ─► endpoints, key, claim

From the commit that puts it away on it is uninstalled, and takes no runs. What remains of it is found by its
documents, so whoever comes next can go on: the request that repeats it, or a task that was booked before.
Runs stay where they are.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from shared.errors import Conflict, NotFound, UpstreamError
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.instance import Environment, ProcessInstance
from shared.model.instance_events import Event, after
from shared.services.audit import audited
from shared.services.faults import point
from shared.services.installations.claim import claims_of
from shared.services.installations.own import own_or_managed
from shared.services.installations.queues import removal_task
from shared.services.installations.remove import remove_remains
from shared.services.instances.queues import take_back
from shared.services.instances.switch import switch
from shared.services.instances.turn import in_progress, turn_at
from shared.services.platform import Platform
from shared.store import refs
from shared.store.refs import Ref
from shared.store.store import Found, Patch, Write


@dataclass(frozen=True, slots=True)
class Uninstalled:
    """An installation that is gone. ``removed`` tells whether nothing of it is left to be removed."""

    process_instance_id: str
    removed: bool


async def uninstall(platform: Platform, key: ApiKey, process_instance_id: str) -> Uninstalled:
    """Switch an installation off for good, and remove what only it needed. Safe to repeat.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``), Forbidden: the caller neither owns it nor manages its organization.
        Conflict (``NOT_INSTALLED``): it is the dev or production environment of a process's owner.
        Conflict (``DEPLOYMENT_IN_PROGRESS``): a deployment or a switch is at work.
        UpstreamError: n8n is down; nothing was changed.
    """
    found = await own_or_managed(
        platform, key, process_instance_id, "uninstall a process instance", uninstalled=True
    )
    await _require_installed(platform, found.value, process_instance_id)
    gone = found.value.uninstalled_at is not None
    if gone and not await claims_of(platform, found.value, process_instance_id):
        return Uninstalled(process_instance_id, removed=True)
    name = f"uninstall-{process_instance_id}-{platform.sources.uuid7()}"
    at = platform.sources.now() + platform.settings.switch_turn
    await platform.queue.create(removal_task(process_instance_id, name, at))
    point("uninstall.booked")
    if not gone:
        await _put_away(platform, key, found, process_instance_id)
    point("uninstall.put_away")
    try:
        await remove_remains(platform, process_instance_id)
    except (UpstreamError, Conflict):
        now = platform.sources.now()
        await platform.queue.create(removal_task(process_instance_id, f"{name}-now", now))
        return Uninstalled(process_instance_id, removed=False)
    await take_back(platform.queue, name)
    return Uninstalled(process_instance_id, removed=True)


async def _require_installed(platform: Platform, instance: ProcessInstance, process_instance_id: str) -> None:
    process = await platform.store.get(refs.process(instance.process_id))
    own = (process.value.dev_instance_id, process.value.prod_instance_id) if process else ()
    if instance.environment is Environment.DEV or process_instance_id in own:
        raise Conflict(
            "This is the process owner's own environment, which is archived and not uninstalled.",
            code="NOT_INSTALLED",
        )


async def _put_away(
    platform: Platform, key: ApiKey, found: Found[ProcessInstance], process_instance_id: str
) -> None:
    instance = found.value
    entry = audited(
        platform,
        key,
        AuditAction.PROCESS_UNINSTALLED,
        instance.organization_id,
        process_instance_id,
        process_id=instance.process_id,
    )
    gone: Write = Patch(found.ref, {"uninstalled_at": platform.sources.now()})
    try:
        # Whose owner has left the organization is put away all the same.
        with suppress(NotFound):
            await switch(platform, found, Event.UNINSTALLED, key, gone, entry)
    except UpstreamError:
        if not await _is_gone(platform, found.ref):
            raise
    if not await _is_gone(platform, found.ref):
        # It was off and archived before, so there was nothing to switch.
        async with turn_at(platform, found.ref) as turn:
            present = await platform.store.get(found.ref)
            if present is None:
                raise in_progress()
            changes = {**after(Event.UNINSTALLED, present.value), "uninstalled_at": platform.sources.now()}
            await turn.end(changes, entry)


async def _is_gone(platform: Platform, reference: Ref[ProcessInstance]) -> bool:
    found = await platform.store.get(reference)
    return found is not None and found.value.uninstalled_at is not None
