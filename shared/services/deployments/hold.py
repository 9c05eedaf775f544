"""Keep runs out of an ensemble while its workflows switch versions (decision 0008).

n8n switches workflow by workflow. A run that goes on meanwhile calls sub-workflows of another version
than its own, so none does:

    hold ──► take waiting runs out of the hands of workers ──► wait for those that run

Dispatch reads the endpoint together with the run and claims the run on condition that it did not change
in between. Changing every run that waits therefore stops the worker that read before the hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from shared.model.endpoint import Endpoint
from shared.model.execution import DispatchState, PendingRun
from shared.n8n.client import N8nClient
from shared.n8n.executions import N8nStatus
from shared.services.deployments.work import Work
from shared.services.platform import Platform
from shared.store import refs
from shared.store.executions import Executions
from shared.store.store import Patch, Write

HELD_FOR = timedelta(minutes=10)
"""A hold that nobody ends is over by then, whatever became of the deployment."""

HELD_UNSETTLED_FOR = timedelta(hours=24)
"""As long as a run waits for n8n: a mix that cannot be undone yet is not run."""

FINISH_SECONDS = 10.0
"""How long runs that go on are waited for. A longer one may meet sub-workflows of the new version."""

_PAUSE_SECONDS = 0.05
_WRITES_PER_COMMIT = 400


def holding(platform: Platform, work: Work, how_long: timedelta = HELD_FOR) -> list[Write]:
    """Return what keeps runs from being sent."""
    until = platform.sources.now() + how_long
    return [Patch(reference, {"held_until": until}) for reference in _endpoints(work)]


def releasing(work: Work) -> list[Write]:
    """Return what lets runs be sent again."""
    return [Patch(reference, {"held_until": None}) for reference in _endpoints(work)]


def stopping(work: Work) -> list[Write]:
    """Return what lets no runs be accepted any more, nor those be sent that wait."""
    return [
        Patch(refs.endpoint(work.instance_id, row.workflow_id), {"is_active": False, "held_until": None})
        for row in work.live
    ]


async def let_finish(platform: Platform, work: Work, client: N8nClient) -> None:
    """Return when none of the installation's runs goes on, or after :data:`FINISH_SECONDS`.

    To be called once the hold is written. Runs that wait in n8n for a time or an event are not waited for.

    Raises:
        UpstreamError: n8n does not answer.
    """
    runs = Executions(platform.store, work.instance_id)
    await _take_back(platform, work, await runs.pending())
    with suppress(TimeoutError):
        async with asyncio.timeout(FINISH_SECONDS):
            while await _some_go_on(platform, client, await runs.pending()):
                await asyncio.sleep(_PAUSE_SECONDS)


async def _take_back(platform: Platform, work: Work, runs: list[PendingRun]) -> None:
    now = platform.sources.now()
    writes: list[Write] = [
        Patch(refs.execution(work.instance_id, run.execution_id), {"held_at": now}) for run in runs
    ]
    for start in range(0, len(writes), _WRITES_PER_COMMIT):
        await platform.store.commit(*writes[start : start + _WRITES_PER_COMMIT])


async def _some_go_on(platform: Platform, client: N8nClient, runs: list[PendingRun]) -> bool:
    sent = [run for run in runs if run.dispatch is not DispatchState.QUEUED and run.started_at]
    # n8n shows a run only some time after it was sent.
    since = platform.sources.now() - platform.settings.dispatch_accept_after
    if any(run.started_at > since for run in sent if run.started_at):
        return True
    return await _any_in_n8n(client, {run.n8n_workflow_id for run in sent})


async def _any_in_n8n(client: N8nClient, n8n_workflow_ids: Iterable[str]) -> bool:
    for n8n_id in n8n_workflow_ids:
        for status in (N8nStatus.RUNNING, N8nStatus.NEW):
            if await client.list_executions(n8n_id, status, limit=1):
                return True
    return False


def _endpoints(work: Work) -> list[refs.Ref[Endpoint]]:
    return [refs.endpoint(work.instance_id, row.workflow_id) for row in work.live]
