"""End a run: the first outcome wins, an identical repeat is harmless (decision: second callback).

One batched get, one commit: the outcome and what follows from it (:mod:`shared.services.runs.consequences`)
are there together or not at all, on condition that the run is still as it was read.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import orjson

from shared.errors import Conflict, Internal, NotFound, UpstreamError
from shared.executions.transitions import Settlement, settle
from shared.model.account import Account
from shared.model.execution import Execution, ExecutionStatus
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.runs.consequences import Consequences, consequences
from shared.services.runs.figures import note_end
from shared.services.runs.next import bring_next
from shared.services.runs.recency import note_run
from shared.services.runs.retention import kept_until
from shared.store import refs
from shared.store.errors import AlreadyExists, Changed
from shared.store.store import Found, Patch, Write
from shared.tasks.spec import TaskSpec
from shared.telemetry.current import follow

_PAUSES = (0, 0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between tries when others write to the run; a run is written to a few times in its life."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class Contended(UpstreamError):
    """The run could not be written to for others; reporting again is safe, and needed."""

    status = 503
    default_code = "TRY_LATER"


async def finish(
    platform: Platform,
    process_instance_id: str,
    execution_id: str,
    organization_id: str | None,
    outcome: Mapping[str, object],
    also: Sequence[Write] = (),
) -> bool:
    """Write a run's outcome; return whether this call ended it (``False``: an identical repeat).

    ``organization_id`` is the run's; a caller who does not know it costs one more round trip. Once a minute
    it is written down when the installation last ended a run.
    ``also`` is written by the call that ends it, in the same commit.

    Raises:
        NotFound: ``EXECUTION_NOT_FOUND``.
        Conflict: ``EXECUTION_NOT_PENDING``: it ended with another outcome before.
        Contended: others wrote to it all the time.
    """
    status, digest = ExecutionStatus(str(outcome["status"])), outcome_digest(outcome)
    tried: dict[datetime, Consequences] = {}
    for pause in (*_PAUSES, None):
        found, account = await _read(platform, process_instance_id, execution_id, organization_id)
        follow(found.value.traceparent, found.value.tracestate)
        match settle(found.value.status, found.value.outcome_digest, status, digest):
            case Settlement.REPEATED:
                if (own := tried.get(found.value.completed_at or _NEVER)) is None:
                    return False
                # Our commit, whose answer was lost: what follows from it is still ours to do.
                following = own
                break
            case Settlement.REFUSED:
                raise Conflict(
                    f"Execution {execution_id} has already ended as {found.value.status.value}.",
                    code="EXECUTION_NOT_PENDING",
                )
        now = platform.sources.now()
        completed: dict[str, object] = {
            **outcome,
            "outcome_digest": digest,
            "completed_at": now,
            "expire_at": kept_until(now, account),
        }
        following = consequences(platform, found.value.model_copy(update=completed), account)
        tried[now] = following
        point("finish.before_commit")
        # Somebody else changed the run meanwhile: what it says now decides.
        with suppress(Changed, AlreadyExists):
            ended = Patch(found.ref, completed, found.update_time)
            await platform.store.commit(ended, *following.writes, *also)
            break
        if pause is None:
            raise Contended(f"Execution {execution_id} is being written to by others. Report it again.")
        await asyncio.sleep(pause)
    point("finish.committed")
    note_end(found.value, status)
    due = following.due(found.value.organization_id, platform.sources.now())
    await asyncio.gather(
        note_run(platform, process_instance_id),
        bring_next(platform, found.value),
        *(_book(platform, task) for task in due),
    )
    return True


async def _read(
    platform: Platform, process_instance_id: str, execution_id: str, organization_id: str | None
) -> tuple[Found[Execution], Account | None]:
    reference = refs.execution(process_instance_id, execution_id)
    if organization_id is None:
        found = await platform.store.get(reference)
        account = await platform.store.get(refs.account(found.value.organization_id)) if found else None
    else:
        found, account = await platform.store.fetch(reference, refs.account(organization_id))
    if found is None:
        raise NotFound(f"Execution {execution_id} not found.", code="EXECUTION_NOT_FOUND")
    return found, account.value if account else None


async def _book(platform: Platform, task: TaskSpec) -> None:
    # The run has ended, whatever becomes of the task: what it would do, the next one of its kind does.
    with suppress(Internal):
        await platform.queue.create(task)


async def fail(
    platform: Platform,
    run: Execution,
    error: Mapping[str, object],
    n8n_execution_id: str | None = None,
    also: Sequence[Write] = (),
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
        ids = run.process_instance_id, run.execution_id, run.organization_id
        return await finish(platform, *ids, outcome, also)
    except Conflict:
        return False


def outcome_digest(outcome: Mapping[str, object]) -> str:
    """Return what recognises an identical repeat: durations and links to n8n may differ in one."""
    said = {name: outcome.get(name) for name in ("status", "result_data", "result_blob", "error_details")}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
