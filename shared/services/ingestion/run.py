"""Carry the deploy of a data ingestion out under its lease, and record how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from shared.errors import PlatformError, UpstreamError
from shared.model.ingestion import ActiveDataIngestion, DataIngestion, IngestionStatus
from shared.model.project import Process
from shared.model.transitions import moved
from shared.n8n.workflows import WorkflowState
from shared.services.deployments.lease import HeldLease
from shared.services.deployments.work import n8n_of
from shared.services.faults import point
from shared.services.ingestion.bodies import prepare
from shared.services.ingestion.lock import leaving, unlocking
from shared.services.ingestion.queues import watchdog_task
from shared.services.ingestion.stop import stop_what_lacks
from shared.services.ingestion.sweep import sweep
from shared.services.ingestion.switch import switch, undo
from shared.services.ingestion.values import values_of
from shared.services.ingestion.work import Work
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Delete, Patch, Write
from shared.versions import Version


async def run(platform: Platform, work: Work, lease: HeldLease) -> None:
    """Make a data ingestion the active one and record the outcome.

    Raises:
        PlatformError: it failed and is recorded as failed; what was active still is.
        LeaseLost: another worker has it; nothing was recorded.
    """
    point("ingestion.started")
    ingestion = work.ingestion
    try:
        values = await values_of(platform, ingestion, work.text, work.tenant)
        prepared = prepare(ingestion, work.text, values, work.tenant)
        client = await n8n_of(platform, work.tenant)
        async with lease.kept():
            state = await switch(work, client, lease, prepared)
    except PlatformError as error:
        await fail(platform, work, lease, error)
        raise
    point("ingestion.before_commit")
    await _record_success(platform, work, lease, state, values.integration_uses)
    point("ingestion.recorded")
    # What cannot be removed now, the watchdog removes.
    with suppress(UpstreamError):
        await sweep(platform, work, client, _leftovers(work))
    # Whoever deletes an integration marks it first and looks for dependants then: one of us sees the other.
    await stop_what_lacks(platform, work.id)


async def fail(platform: Platform, work: Work, lease: HeldLease, error: PlatformError) -> None:
    """Undo in n8n what was done, and record the failure.

    Raises:
        LeaseLost: another worker has it; nothing was recorded.
    """
    try:
        client = await n8n_of(platform, work.tenant)
        async with lease.kept():
            problems = await undo(work, client, lease)
    except UpstreamError:
        now = platform.sources.now()
        await platform.queue.create(watchdog_task(work.id, now, "settle"))
        left = leaving(work.ingestion.process_id, now)
        await _record_failure(platform, work, lease, error, error.message, left, unsettled=True)
        return
    message = " ".join([error.message, *problems])
    released = unlocking(work.ingestion.process_id)
    await _record_failure(platform, work, lease, error, message, released, unsettled=False)


def _leftovers(work: Work) -> list[str]:
    old = work.replaces.n8n_workflow_id if work.replaces else None
    return [old] if old else []


async def _record_success(
    platform: Platform, work: Work, lease: HeldLease, state: WorkflowState, uses: Sequence[str]
) -> None:
    ingestion = work.ingestion
    writes: list[Write] = [unlocking(ingestion.process_id, **await _pointer(platform, ingestion))]
    if work.replaces is not None:
        superseded = moved(work.replaces.status, IngestionStatus.SUPERSEDED)
        writes.append(Patch(refs.data_ingestion(work.replaces.data_ingestion_id), {"status": superseded}))
    await lease.write(
        {
            "status": moved(ingestion.status, IngestionStatus.ACTIVE),
            "n8n_workflow_id": state.id,
            "n8n_version_id": state.active_version_id,
            "leftovers": _leftovers(work),
            "integration_uses": list(uses),
            "completed_at": platform.sources.now(),
            "lease": None,
        },
        *writes,
    )


async def _pointer(platform: Platform, ingestion: DataIngestion) -> dict[str, object]:
    """Return what the process remembers: the active one, and the highest version there ever was."""
    process = await platform.store.get(refs.process(ingestion.process_id))
    active = ActiveDataIngestion(
        data_ingestion_id=ingestion.data_ingestion_id,
        version=ingestion.version,
        webhook_urls=ingestion.webhook_urls,
    )
    latest = _highest(process.value if process else None, ingestion.version)
    return {"active_data_ingestion": active, "latest_ingestion_version": latest}


def _highest(process: Process | None, version: str) -> str:
    before = process.latest_ingestion_version if process else None
    return version if before is None else max(before, version, key=Version.parse)


async def _record_failure(
    platform: Platform,
    work: Work,
    lease: HeldLease,
    error: PlatformError,
    message: str,
    releasing: Write,
    *,
    unsettled: bool,
) -> None:
    """Record the failure. The version can be deployed again: nobody has been told of this one."""
    ingestion = work.ingestion
    await lease.write(
        {
            "status": moved(ingestion.status, IngestionStatus.FAILED),
            "error": message,
            "error_code": error.code,
            "unsettled": unsettled,
            "completed_at": platform.sources.now(),
            "lease": None,
        },
        releasing,
        Delete(refs.ingestion_version(ingestion.process_id, ingestion.version)),
    )
