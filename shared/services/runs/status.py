"""What a caller may know of a run (api §5.23)."""

from __future__ import annotations

import orjson

from shared.errors import NotFound
from shared.model.apikey import ApiKey
from shared.model.execution import Execution, ExecutionStatus
from shared.services.access import accessible_instance, require_instance_access
from shared.services.platform import Platform
from shared.store.store import Found
from shared.store.watch import wait_for


async def status(
    platform: Platform,
    key: ApiKey,
    process_instance_id: str,
    execution_id: str,
    found: Found[Execution] | None,
    wait_seconds: float,
) -> Execution:
    """Return a run; with ``wait_seconds`` a pending one is returned the moment it ends, or after that.

    Raises: as :func:`accessible_run`.
    """
    found = await accessible_run(platform, key, process_instance_id, execution_id, found)
    run = found.value
    if run.status is ExecutionStatus.PENDING and wait_seconds > 0:
        later = await wait_for(platform.store, found.ref, _has_ended, wait_seconds)
        run = later or run
    return run


async def accessible_run(
    platform: Platform,
    key: ApiKey,
    process_instance_id: str,
    execution_id: str,
    found: Found[Execution] | None,
) -> Found[Execution]:
    """Return the run that was found, if the caller may use its installation.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``, ``EXECUTION_NOT_FOUND``): there is no such installation or run.
        Forbidden: the installation is not the caller's to use.
    """
    if found is None:
        await accessible_instance(platform, key, process_instance_id)
        raise NotFound(f"Execution {execution_id} not found.", code="EXECUTION_NOT_FOUND")
    run = found.value
    await require_instance_access(platform, key, run.organization_id, process_instance_id, run)
    return found


async def result_of(platform: Platform, run: Execution) -> object:
    """Return a run's result as JSON; ``None`` when it has none."""
    if run.result_blob is not None:
        contents = await platform.blobs.get(run.organization_id, [run.result_blob])
        return orjson.loads(contents[run.result_blob])
    return None if run.result_data is None else orjson.loads(run.result_data)


def _has_ended(run: Execution) -> bool:
    return run.status is not ExecutionStatus.PENDING
