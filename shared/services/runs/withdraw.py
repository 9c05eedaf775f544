"""Take a run back whose task could not be booked, as far as that is known."""

from __future__ import annotations

from contextlib import suppress

from shared.model.execution import DispatchState, Execution, ExecutionStatus
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Delete, Found, Write


async def withdraw(platform: Platform, execution: Execution, *along: Write) -> bool:
    """Remove a run, and make other writes in the same commit; return whether it is withdrawn.

    A queue may fail after it took the task: then the run may be on its way by now. One that was taken up is
    left alone (``False``): it is accepted, whatever the queue said. When the condition of another write does
    not hold, nothing is written and it is for somebody else to see to the run.
    """
    reference = refs.execution(execution.process_instance_id, execution.execution_id)
    found = await platform.store.get(reference)
    while found is not None:
        if _is_taken_up(found.value):
            return False
        with suppress(Changed):
            await platform.store.commit(*along, Delete(reference, found.update_time))
            return True
        before, found = found, await platform.store.get(reference)
        if _same(before, found):
            return True
    if along:
        with suppress(Changed):
            await platform.store.commit(*along)
    return True


def _is_taken_up(run: Execution) -> bool:
    return run.status is not ExecutionStatus.PENDING or run.dispatch is not DispatchState.QUEUED


def _same(before: Found[Execution], now: Found[Execution] | None) -> bool:
    return now is not None and now.update_time == before.update_time
