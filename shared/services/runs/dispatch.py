"""Send a run into n8n: at most once, and not before n8n can take it (design §6).

    queued ──claim──► sending ──n8n has it──► (its callback ends the run)
      ▲                  │
      └── not reached ───┘      refused: failed at once

A claim is a conditional write, so one of several deliveries of a task wins, and it runs out: nothing is
sent after ``dispatch_accept_after``. A delivery that finds the run ``sending`` cannot know whether the
call got through: it waits until the claim has run out, then asks n8n, and sends again only if n8n never
saw the run.

Where a run goes is decided when it is sent: the endpoint is read with the run. While a deployment switches
versions its endpoints are held, and runs wait (decision 0008). They wait as well while the endpoint has no
room for one more (decision 0025).
"""

from __future__ import annotations

from shared.model.endpoint import Endpoint
from shared.model.execution import DispatchState, Execution, ExecutionStatus
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused, N8nUnreachable
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.services.runs.figures import note_waiting
from shared.services.runs.finish import fail
from shared.services.runs.order import DispatchOrder, TryLater, book_again, readdressed
from shared.services.runs.room import Room, pause_of, room
from shared.services.runs.send import Claim, look_later, release, send, settle_soon
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch
from shared.telemetry.current import follow

_LOOK_AFTER = 1.5
"""Claims are taken over after this many times their length: clocks differ, and n8n needs a moment to
list a run it has just been given."""

_REMOVED = {
    "type": "node_failure",
    "code": "WORKFLOW_REMOVED",
    "message": "A later deployment removed the workflow before this run could be sent to it.",
}

_PAUSED = {
    "type": "node_failure",
    "code": "INSTANCE_INACTIVE",
    "message": "The process instance was deactivated before this run could be sent to n8n.",
}


async def dispatch(platform: Platform, order: DispatchOrder, deliveries: int) -> str:
    """Send a run into n8n; return what happened, for the log.

    ``deliveries`` is the number of earlier deliveries of the same task.

    Raises:
        TryLater: n8n was not reached, or another worker may still be sending.
    """
    reference = refs.execution(order.process_instance_id, order.execution_id)
    found, endpoint = await platform.store.fetch(
        reference, refs.endpoint(order.process_instance_id, order.workflow_id)
    )
    if found is None:
        # The task is created beside the record; a record that does not follow was never accepted.
        if deliveries < 5:
            raise TryLater("The execution is not recorded yet.")
        return "never accepted"
    follow(found.value.traceparent, found.value.tracestate)
    if found.value.status is not ExecutionStatus.PENDING:
        return "already finished"
    note_waiting(found.value, platform.sources.now())
    if found.value.dispatch is DispatchState.ACCEPTED:
        return "already accepted"
    if order.hint and found.value.dispatch is not DispatchState.QUEUED:
        return "already sent"
    if found.value.dispatch is DispatchState.SENDING and await _n8n_has_it(platform, found):
        await platform.store.commit(Patch(reference, {"dispatch": DispatchState.ACCEPTED}))
        await look_later(platform, order)
        await settle_soon(platform, order)
        return "found in n8n"
    if endpoint is None or endpoint.value.target is None:
        await fail(platform, found.value, _REMOVED)
        return "workflow removed"
    if not endpoint.value.is_active:
        await fail(platform, found.value, _PAUSED)
        return "installation paused"
    if endpoint.value.held_until and platform.sources.now() < endpoint.value.held_until:
        raise TryLater("A deployment is switching the workflows to another version.")
    point("dispatch.before_claim")
    order = readdressed(order, endpoint.value)
    if endpoint.value.is_limited:
        return await _send_if_room(platform, order, found, endpoint.value)
    claim = await _claim(platform, found, endpoint.value)
    point("dispatch.claimed")
    return await send(platform, order, found.value, claim)


async def _send_if_room(
    platform: Platform, order: DispatchOrder, found: Found[Execution], endpoint: Endpoint
) -> str:
    """Send a run of an endpoint that limits them, or let it wait."""
    run, store = found.value, platform.store
    async with platform.doors.of(endpoint):
        before = await room(store, endpoint, platform.sources.now())
        # One whose worker vanished is among those that go on: it takes no other's place.
        if before.full and run.dispatch is DispatchState.QUEUED:
            return await _wait(platform, order, run, before)
        claim = await _claim(platform, found, endpoint)
        point("dispatch.claimed")
    # Another process may have counted in the same moment. Both see it now, and both step back.
    after = await room(store, endpoint, platform.sources.now())
    if after.over:
        await release(platform, run, claim.version)
        return await _wait(platform, order, run, after)
    return await send(platform, order, run, claim)


async def _wait(platform: Platform, order: DispatchOrder, run: Execution, found: Room) -> str:
    if not order.hint:
        at = platform.sources.now() + await pause_of(platform.store, run, found)
        await book_again(platform, order, at)
    return "waits for room"


async def _n8n_has_it(platform: Platform, found: Found[Execution]) -> bool:
    run = found.value
    now, grace = platform.sources.now(), platform.settings.dispatch_accept_after
    if run.started_at is not None and now < run.started_at + _LOOK_AFTER * grace:
        raise TryLater("Another worker may still be sending the execution.")
    client = await n8n_client(platform, run.backend_id)
    try:
        seen = await client.find_execution_of(run.n8n_workflow_id, run.execution_id, run.created_at)
        return seen is not None or not await _shows_its_runs(client, run.n8n_workflow_id)
    except N8nUnreachable as error:
        raise TryLater("n8n cannot be asked whether it has the execution.") from error


async def _shows_its_runs(client: N8nClient, n8n_workflow_id: str) -> bool:
    """Whether n8n keeps every run of the workflow, so that one it does not know never began."""
    try:
        settings = (await client.get_workflow(n8n_workflow_id)).settings
    except N8nRefused as error:
        return error.n8n_status == 404
    kept = (settings.get("saveDataSuccessExecution", "all"), settings.get("saveDataErrorExecution", "all"))
    return "none" not in kept


async def _claim(platform: Platform, found: Found[Execution], endpoint: Endpoint) -> Claim:
    now = platform.sources.now()
    claimed = {
        "dispatch": DispatchState.SENDING,
        "started_at": now,
        "deployment_instance_id": endpoint.deployment_instance_id,
        "template_version": endpoint.version,
        **({} if endpoint.max_running is None else {"max_running": endpoint.max_running}),
    }
    try:
        (version,) = await platform.store.commit(Patch(found.ref, claimed, found.update_time))
    except Changed:
        raise TryLater("Another worker took the execution.") from None
    return Claim(version, now + platform.settings.dispatch_accept_after)
