"""The watchdog: take over a data ingestion whose worker is gone, and what an ended one left."""

from __future__ import annotations

from shared.errors import Conflict, PlatformError, UpstreamError
from shared.model.ingestion import DataIngestion, IngestionStatus
from shared.services.deployments.lease import HeldLease, LeaseLost, StillHeld, new_lease
from shared.services.deployments.resume import Abandoned
from shared.services.deployments.work import n8n_of
from shared.services.ingestion.lock import is_locked, leaving, locking, unlocking
from shared.services.ingestion.run import fail, run
from shared.services.ingestion.stop import stop_if_lacking
from shared.services.ingestion.sweep import sweep
from shared.services.ingestion.switch import undo
from shared.services.ingestion.work import load_work
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch, Write

MAX_ATTEMPTS = 5
"""Workers a data ingestion may use up before it is failed."""

_RECORDED_WITHIN = 5
"""Deliveries after which a data ingestion that is not recorded never will be."""


async def resume(platform: Platform, data_ingestion_id: str, deliveries: int) -> str:
    """Complete or fail a data ingestion, or clean up after one; return what happened, for the log.

    ``deliveries`` is the number of earlier deliveries of the same task.

    Raises:
        StillHeld: its worker is alive.
        UpstreamError: n8n is down, and what was left there must be removed later.
    """
    found = await platform.store.get(refs.data_ingestion(data_ingestion_id))
    if found is None:
        # The task is booked before the data ingestion is recorded.
        if deliveries < _RECORDED_WITHIN:
            raise StillHeld("The data ingestion is not recorded yet.")
        return "never recorded"
    if found.value.unsettled:
        return await _settle(platform, found)
    if found.value.status is not IngestionStatus.PENDING:
        return await _sweep(platform, found.value)
    if _is_held(platform, found.value):
        raise StillHeld("The data ingestion's worker is alive.")
    return await _go_on(platform, found)


def _is_held(platform: Platform, ingestion: DataIngestion) -> bool:
    return ingestion.lease is not None and platform.sources.now() < ingestion.lease.expires_at


async def _go_on(platform: Platform, found: Found[DataIngestion]) -> str:
    attempts = found.value.attempts + 1
    lease = await _take(platform, found, attempts=attempts)
    work = await load_work(platform, found.value.model_copy(update={"attempts": attempts}))
    try:
        if attempts > MAX_ATTEMPTS:
            gone = Abandoned("The data ingestion was given up: several workers ended in the middle of it.")
            await fail(platform, work, lease, gone)
            return "given up"
        await run(platform, work, lease)
    except LeaseLost:
        raise StillHeld("Another worker took the data ingestion.") from None
    except PlatformError as error:
        return f"failed: {error.code}"
    return "active"


async def _sweep(platform: Platform, ingestion: DataIngestion) -> str:
    swept = bool(ingestion.leftovers)
    if swept:
        work = await load_work(platform, ingestion)
        await sweep(platform, work, await n8n_of(platform, work.tenant), ingestion.leftovers)
    try:
        stopped = await stop_if_lacking(platform, ingestion.data_ingestion_id)
    except Conflict as error:
        raise StillHeld(error.message) from None
    return "stopped" if stopped else "swept" if swept else "finished"


async def _settle(platform: Platform, found: Found[DataIngestion]) -> str:
    """Undo a failed data ingestion that could not be undone when it failed."""
    ingestion = found.value
    process = await platform.store.get(refs.process(ingestion.process_id))
    if process is None or process.value.ingesting != ingestion.data_ingestion_id:
        # A newer one took the process, and this one's traces with it.
        return "finished"
    work = await load_work(platform, ingestion)
    client = await n8n_of(platform, work.tenant)
    # Before the process is taken: while n8n is down, nobody else shall wait for that.
    await client.check()
    now = platform.sources.now()
    if _is_held(platform, ingestion) or is_locked(process.value, now, besides=work.id):
        raise StillHeld("Another worker is at this process.")
    lease = await _take(platform, found, locking(process, work.id, now))
    try:
        async with lease.kept():
            problems = await undo(work, client, lease)
    except UpstreamError:
        await lease.write({"lease": None}, leaving(ingestion.process_id, platform.sources.now()))
        raise
    error = " ".join([ingestion.error or "", *problems]).strip()
    released = unlocking(ingestion.process_id)
    await lease.write({"lease": None, "unsettled": False, "error": error}, released)
    return "put back"


async def _take(
    platform: Platform, found: Found[DataIngestion], *others: Write, **fields: object
) -> HeldLease:
    lease = new_lease(platform, platform.sources.uuid7())
    taking = Patch(found.ref, {"lease": lease, **fields}, found.update_time)
    try:
        version, *_ = await platform.store.commit(taking, *others)
    except Changed:
        raise StillHeld("Another worker took the data ingestion.") from None
    return HeldLease(platform, found.ref, lease, version)
