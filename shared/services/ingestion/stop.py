"""Switch a data ingestion off for good when it loses an integration it uses (platform §4, §7).

The documents say so first, with what is to be removed from n8n; a task that was booked before sees to that.
To get it back it is deployed again, once the integration is connected.
"""

from __future__ import annotations

from contextlib import suppress

from shared.errors import Conflict, UpstreamError
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.ingestion import DataIngestion, IngestionStatus
from shared.model.transitions import moved
from shared.services.audit import audited
from shared.services.deployments.work import n8n_of
from shared.services.faults import point
from shared.services.ingestion.lock import is_locked
from shared.services.ingestion.plan import InProgress
from shared.services.ingestion.queues import watchdog_task
from shared.services.ingestion.sweep import sweep
from shared.services.ingestion.work import load_work
from shared.services.integrations.lacking import lacking_of
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.store import Found, Patch


async def stop(platform: Platform, found: Found[DataIngestion], actor: ApiKey | str) -> None:
    """Switch an active data ingestion off. Its workflow goes from n8n, at the latest when that is back.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``): another one is being deployed in its place.
    """
    ingestion, now = found.value, platform.sources.now()
    process = await platform.store.get(refs.process(ingestion.process_id))
    if process is None or is_locked(process.value, now):
        raise InProgress
    # Every try has a name of its own: one that was overtaken must not use up the next one's.
    name = f"stop-{platform.sources.uuid7()}"
    at = now + platform.settings.deploy_lease
    await platform.queue.create(watchdog_task(ingestion.data_ingestion_id, at, name))
    left = [ingestion.n8n_workflow_id] if ingestion.n8n_workflow_id else []
    fields = {
        "status": moved(ingestion.status, IngestionStatus.INACTIVE),
        "leftovers": [*ingestion.leftovers, *left],
        "error": "An integration it uses is not connected any more. Connect it and deploy again.",
        "error_code": "MISSING_INTEGRATION",
    }
    active = process.value.active_data_ingestion
    mine = active is not None and active.data_ingestion_id == ingestion.data_ingestion_id
    # Writes it in any case: the process must not have been taken meanwhile.
    pointer = {"active_data_ingestion": None if mine else active}
    entry = audited(
        platform,
        actor,
        AuditAction.DATA_INGESTION_DEACTIVATED,
        ingestion.organization_id,
        ingestion.process_id,
        dataIngestionId=ingestion.data_ingestion_id,
    )
    try:
        await platform.store.commit(
            Patch(found.ref, fields, found.update_time),
            Patch(process.ref, pointer, process.update_time),
            entry,
        )
    except StoreConflict:
        raise InProgress from None
    point("ingestion.stopped")
    stopped = ingestion.model_copy(update=fields)
    with suppress(UpstreamError):
        work = await load_work(platform, stopped)
        await sweep(platform, work, await n8n_of(platform, work.tenant), stopped.leftovers)


async def stop_if_lacking(platform: Platform, data_ingestion_id: str) -> bool:
    """Switch a data ingestion off that went live while somebody deleted what it uses; whether it was.

    Raises:
        Conflict: as :func:`stop`.
    """
    found = await platform.store.get(refs.data_ingestion(data_ingestion_id))
    if found is None or found.value.status is not IngestionStatus.ACTIVE:
        return False
    uses = found.value.integration_uses
    if not await lacking_of(platform, found.value.organization_id, uses):
        return False
    await stop(platform, found, found.value.created_by)
    return True


async def stop_what_lacks(platform: Platform, data_ingestion_id: str) -> None:
    """Do so, or leave it to the watchdog."""
    with suppress(Conflict):
        await stop_if_lacking(platform, data_ingestion_id)
