"""What a workflow reports itself: its result, or its error (nodes §5, §6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from shared.errors import NotFound
from shared.model.execution import ExecutionStatus
from shared.services.platform import Platform
from shared.services.runs.finish import finish
from shared.services.runs.queues import forget
from shared.services.runs.secret import PURPOSE, read
from shared.store import refs
from shared.validation.nesting import TooDeep, loads

INLINE_RESULT = 384 * 1024
"""Bytes of result kept in the execution itself; a larger one becomes a blob. A document ends at 1 MiB, and
up to 512 KiB of it may be the run's payload."""


async def report_result(
    platform: Platform,
    execution_id: str,
    secret: str,
    result: object,
    n8n_execution_id: str | None,
    duration_ms: int | None,
) -> None:
    """End a run with its result.

    ``result`` is any JSON value; text that is itself JSON is taken as that JSON (nodes §5).

    Raises:
        Unauthorized (``INVALID_SECRET``), NotFound (``EXECUTION_NOT_FOUND``), Conflict
        (``EXECUTION_NOT_PENDING``).
    """
    text = orjson.dumps(_unwrapped(result))
    outcome: dict[str, object] = {"status": ExecutionStatus.SUCCESS}
    if len(text) <= INLINE_RESULT:
        outcome["result_data"] = text.decode()
    await _report(platform, execution_id, secret, outcome, n8n_execution_id, duration_ms, text)


async def report_error(
    platform: Platform,
    execution_id: str,
    secret: str,
    error: dict[str, object],
    n8n_execution_id: str | None,
    duration_ms: int | None,
) -> None:
    """End a run with the error its workflow reported; ``error`` is the stored ``errorDetails``.

    Raises: as :func:`report_result`.
    """
    outcome: dict[str, object] = {"status": ExecutionStatus.FAILED, "error_details": error}
    await _report(platform, execution_id, secret, outcome, n8n_execution_id, duration_ms)


async def _report(
    platform: Platform,
    execution_id: str,
    secret: str,
    outcome: dict[str, object],
    n8n_execution_id: str | None,
    duration_ms: int | None,
    large_result: bytes = b"",
) -> None:
    capability = read(await platform.vault.mac_key(PURPOSE), execution_id, secret)
    instance_id = capability.process_instance_id
    if large_result and "result_data" not in outcome:
        outcome["result_blob"] = await _store_result(platform, instance_id, execution_id, large_result)
    outcome["duration"] = _duration(platform, execution_id, duration_ms)
    if n8n_execution_id:
        outcome["n8n_execution_id"] = n8n_execution_id
    ended = await finish(platform, instance_id, execution_id, capability.organization_id, outcome)
    if ended:
        await forget(platform.queue, execution_id)


async def _store_result(platform: Platform, process_instance_id: str, execution_id: str, text: bytes) -> str:
    found = await platform.store.get(refs.execution(process_instance_id, execution_id))
    if found is None:
        raise NotFound(f"Execution {execution_id} not found.", code="EXECUTION_NOT_FOUND")
    (digest,) = await platform.blobs.put(found.value.organization_id, [text])
    return digest


def _unwrapped(result: object) -> object:
    if not isinstance(result, str):
        return result
    try:
        parsed = loads(result)
    except (orjson.JSONDecodeError, TooDeep):
        return result
    return parsed if isinstance(parsed, dict | list) else result


def _duration(platform: Platform, execution_id: str, reported_ms: int | None) -> int:
    """Return the run's duration in ms: what the node measured, else wall clock since the id was made."""
    if reported_ms is not None and reported_ms >= 0:
        return reported_ms
    created = datetime.fromtimestamp((UUID(execution_id).int >> 80) / 1000, UTC)
    return max(0, (platform.sources.now() - created) // timedelta(milliseconds=1))
