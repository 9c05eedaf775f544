"""Calls that begin one run however often they arrive (decision 0021).

    absent ──run and record in one commit──► in progress ──task booked──► accepted
                                                │    ▲                       │
                                   queue failed │    │ lease over            │ 24 h
                                                ▼    └─ taken over           ▼
                                              absent                       absent

Whoever uses this gives the call an address (:func:`shared.store.refs.remembered_call`) and a fingerprint: an
``Idempotency-Key`` is one such address, the id of a third party's delivery another. One commit creates the
record and the run, so there is one winner; all others are told what became of it. A worker that vanishes
before its task is booked leaves a record whose lease runs out: the next call books the task of that same run.
Two tasks of one run are harmless, since a dispatch claims it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from shared.errors import IdempotencyInProgress, IdempotencyKeyReused, Internal
from shared.executions.repetition import Standing, standing
from shared.model.endpoint import Endpoint
from shared.model.execution import Execution, ExecutionStatus
from shared.model.remembered import RememberedCall
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.runs.lanes import book
from shared.services.runs.order import address_of
from shared.services.runs.queues import dispatch_task
from shared.services.runs.withdraw import withdraw
from shared.store import refs
from shared.store.errors import Changed, StoreConflict
from shared.store.refs import Ref
from shared.store.store import Create, Found, Patch, Write

KEPT = timedelta(hours=24)
"""How long a call is remembered."""

LEASE = timedelta(seconds=10)
"""How long a worker that booked nothing yet is thought to be at it."""

_RETRY_SECONDS = 1


@dataclass(slots=True)
class Once:
    """A call that must have one effect: where it is remembered, what is there, and what it asks for."""

    ref: Ref[RememberedCall]
    found: Found[RememberedCall] | None
    fingerprint: str

    @property
    def remembered(self) -> RememberedCall | None:
        """What is remembered, as it was read last."""
        return self.found.value if self.found else None

    async def look(self, platform: Platform) -> None:
        """Read again what is remembered."""
        self.found = await platform.store.get(self.ref)


@dataclass(frozen=True, slots=True)
class Started:
    """The run of a call; ``replayed``: an earlier call began it."""

    execution_id: str
    replayed: bool = False


def fingerprint_of(payload: object) -> str:
    """Return what tells one JSON payload from another, whatever the order of its keys."""
    return hashlib.sha256(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def recall(platform: Platform, once: Once, endpoint: Endpoint) -> Started | None:
    """Return the run an earlier call began; ``None``: there was none, and this one may begin it.

    Costs nothing but what was read before, unless the worker of the earlier call vanished.

    Raises:
        IdempotencyInProgress: the earlier call is being worked on.
        IdempotencyKeyReused: the earlier call asked for something else.
        Internal: the queue fails.
    """
    while True:
        remembered = once.remembered
        stands = standing(remembered, once.fingerprint, platform.sources.now())
        if remembered is None or stands is Standing.FRESH:
            return None
        if stands is Standing.DIFFERENT:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used for another payload. Use a new key for a new call."
            )
        if stands is Standing.RUNNING:
            raise IdempotencyInProgress(
                "The first call with this Idempotency-Key is still being accepted. Try again in a second.",
                details={"retryInSeconds": _RETRY_SECONDS},
            )
        if stands is Standing.REPEATED or await _take_over(platform, once, endpoint):
            return Started(remembered.execution_id, replayed=True)
        await once.look(platform)


async def begin_once(
    platform: Platform,
    once: Once,
    endpoint: Endpoint,
    execution: Execution,
    call: Mapping[str, object],
    also: Sequence[Write] = (),
) -> Started:
    """Write a run together with its record, book its dispatch, and return it; or return the earlier one.

    ``call`` is what its dispatch task carries; ``also`` is written in the run's commit.

    Raises: as :func:`recall`.
    """
    while True:
        version = await _record(platform, once, execution, also)
        point("trigger.recorded")
        if version is not None and await _book(platform, once, version, execution, call):
            return Started(execution.execution_id)
        await once.look(platform)
        if (earlier := await recall(platform, once, endpoint)) is not None:
            return earlier


async def _record(
    platform: Platform, once: Once, execution: Execution, also: Sequence[Write]
) -> datetime | None:
    """Return the version of the record that this call made, ``None`` when another one was faster."""
    now = platform.sources.now()
    remembered = RememberedCall(
        organization_id=execution.organization_id,
        process_instance_id=execution.process_instance_id,
        execution_id=execution.execution_id,
        fingerprint=once.fingerprint,
        lease_until=now + LEASE,
        expire_at=now + KEPT,
    )
    expired = once.found
    record = (
        Create(once.ref, remembered)
        if expired is None
        else Patch(once.ref, dict(remembered), expired.update_time)
    )
    try:
        run = Create(_run_of(execution), execution)
        _, version, *_ = await platform.store.commit(run, record, *also)
    except StoreConflict:
        await once.look(platform)
        # The id is new: a record that names it was written by a try whose answer got lost.
        is_own = once.found is not None and once.found.value.execution_id == execution.execution_id
        return once.found.update_time if once.found is not None and is_own else None
    return version


async def _book(
    platform: Platform, once: Once, version: datetime, execution: Execution, call: Mapping[str, object]
) -> bool:
    """Book the dispatch of a run and mark it accepted; return whether nobody else took it over meanwhile."""
    task = dispatch_task(execution.process_instance_id, execution.execution_id, dict(call))
    try:
        await book(platform, execution.organization_id, task)
    except Internal:
        # A call that is refused is not remembered. Whoever took over meanwhile sees to the run.
        forgotten = Patch(once.ref, {"expire_at": platform.sources.now()}, version)
        if await withdraw(platform, execution, forgotten):
            raise
    point("trigger.booked")
    try:
        await platform.store.commit(Patch(once.ref, {"accepted": True}, version))
    except Changed:
        return False
    return True


async def _take_over(platform: Platform, once: Once, endpoint: Endpoint) -> bool:
    """Go on with what a vanished worker left; return whether it is done."""
    found = once.found
    if found is None:
        return False
    value, now = found.value, platform.sources.now()
    run = await platform.store.get(refs.execution(value.process_instance_id, value.execution_id))
    if run is None:
        changes: dict[str, object] = {"expire_at": now}
    elif run.value.status is ExecutionStatus.PENDING:
        changes = {"lease_until": now + LEASE}
    else:
        changes = {"accepted": True}
    try:
        (version,) = await platform.store.commit(Patch(once.ref, changes, found.update_time))
    except Changed:
        return False
    if run is None or "accepted" in changes:
        return run is not None
    return await _book(
        platform, once, version, run.value, {**address_of(endpoint, endpoint.target), "recorded": True}
    )


def _run_of(execution: Execution) -> Ref[Execution]:
    return refs.execution(execution.process_instance_id, execution.execution_id)
