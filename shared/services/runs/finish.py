"""End a run: the first outcome wins, an identical repeat is harmless (decision: second callback)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import orjson

from shared.errors import Conflict, NotFound
from shared.executions.transitions import Settlement, settle
from shared.model.execution import Execution, ExecutionStatus
from shared.services.platform import Platform
from shared.services.runs.recency import note_run
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Patch


async def finish(
    platform: Platform,
    process_instance_id: str,
    execution_id: str,
    version: datetime,
    outcome: Mapping[str, object],
) -> bool:
    """Write a run's outcome; return whether this call ended it (``False``: an identical repeat).

    ``version`` is one of which the caller knows that the run was pending. If it is current, no read is
    needed. Once a minute it is written down when the installation last ended a run.

    Raises:
        NotFound: ``EXECUTION_NOT_FOUND``.
        Conflict: ``EXECUTION_NOT_PENDING``: it ended with another outcome before.
    """
    reference = refs.execution(process_instance_id, execution_id)
    status = ExecutionStatus(str(outcome["status"]))
    digest = outcome_digest(outcome)
    completed = {**outcome, "outcome_digest": digest, "completed_at": platform.sources.now()}
    while True:
        try:
            await platform.store.commit(Patch(reference, completed, version))
        except Changed:
            found = await platform.store.get(reference)
        else:
            await note_run(platform, process_instance_id)
            return True
        if found is None:
            raise NotFound(f"Execution {execution_id} not found.", code="EXECUTION_NOT_FOUND")
        match settle(found.value.status, found.value.outcome_digest, status, digest):
            case Settlement.ACCEPTED:
                version = found.update_time
            case Settlement.REPEATED:
                return False
            case Settlement.REFUSED:
                raise Conflict(
                    f"Execution {execution_id} has already ended as {found.value.status.value}.",
                    code="EXECUTION_NOT_PENDING",
                )


async def fail(
    platform: Platform,
    run: Execution,
    version: datetime,
    error: Mapping[str, object],
    n8n_execution_id: str | None = None,
) -> bool:
    """End a run as failed on the platform's own account; return whether it was still pending."""
    created = run.created_at
    outcome: dict[str, object] = {
        "status": ExecutionStatus.FAILED,
        "error_details": dict(error),
        "duration": int((platform.sources.now() - created).total_seconds() * 1000),
    }
    if n8n_execution_id:
        outcome["n8n_execution_id"] = n8n_execution_id
    try:
        return await finish(platform, run.process_instance_id, run.execution_id, version, outcome)
    except Conflict:
        return False


def outcome_digest(outcome: Mapping[str, object]) -> str:
    """Return what recognises an identical repeat: durations and links to n8n may differ in one."""
    said = {name: outcome.get(name) for name in ("status", "result_data", "result_blob", "error_details")}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
