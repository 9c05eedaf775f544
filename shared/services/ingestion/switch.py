"""Put a new ingestion workflow in the place of the old one (decision 0011).

    create ─► rehearse ─► take the old one off ─► publish ─► wait until live

Old and new answer at the same addresses, and n8n lets only one workflow have them. All that n8n could
refuse it refuses in the rehearsal, while the old one still answers. Every step may be repeated: a workflow
that was created but not recorded is found by its name.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

from shared.model.ingestion import DataIngestion
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nNotLive, N8nRefused
from shared.n8n.liveness import WebhookAddress
from shared.n8n.workflows import WorkflowState
from shared.services.deployments.lease import HeldLease
from shared.services.deployments.restore import LIVE_WITHIN_SECONDS, remove
from shared.services.faults import point
from shared.services.ingestion.bodies import Prepared, origin_of, rehearsed
from shared.services.ingestion.work import Work

_FREE_WITHIN_SECONDS = 20.0
_CONFLICT_SECONDS = 0.5
_TRIES = 4
_PAUSE_SECONDS = 0.02
_CONFLICT, _GONE = 409, 404
_FINAL = (400, 404, 422)
"""Statuses of n8n that asking again does not change."""


async def switch(work: Work, client: N8nClient, lease: HeldLease, prepared: Prepared) -> WorkflowState:
    """Make the new workflow the one that answers; return it.

    Raises:
        UpstreamError: n8n refused or is down; :func:`undo` puts back what was live.
        LeaseLost: another worker has the data ingestion.
    """
    for earlier in work.clears:
        await _remove_made(earlier, client, lease)
    n8n_id = await _ensure(work, client, lease, prepared)
    point("ingestion.created")
    old = work.replaces.n8n_workflow_id if work.replaces else None
    if work.replaces is None or old is None:
        return await _publish(client, lease, n8n_id, prepared)
    await _publish(client, lease, n8n_id, rehearsed(prepared))
    point("ingestion.rehearsed")
    state = await _take_place(work.replaces, old, n8n_id, client, lease, prepared)
    point("ingestion.published")
    return state


async def undo(work: Work, client: N8nClient, lease: HeldLease) -> list[str]:
    """Remove the new workflow and publish the old one again; safe to repeat.

    Returns sentences about what n8n does not take back.

    Raises:
        UpstreamError: n8n cannot be reached, or is not done with what it was asked for before.
        LeaseLost: another worker has the data ingestion.
    """
    for made in (*work.clears, work.ingestion):
        await _remove_made(made, client, lease)
    point("ingestion.removed")
    if work.replaces is None or work.replaces.n8n_workflow_id is None:
        return []
    return await _put_back(work.replaces, work.replaces.n8n_workflow_id, client, lease)


async def _ensure(work: Work, client: N8nClient, lease: HeldLease, prepared: Prepared) -> str:
    lease.require()
    if work.ingestion.attempts > 1:
        found = await client.find_workflows_by_name(prepared.body.name)
        for stray in found[1:]:
            await remove(client, stray.id)
        if found:
            return found[0].id
    return (await client.create_workflow(prepared.body)).id


async def _publish(client: N8nClient, lease: HeldLease, n8n_id: str, prepared: Prepared) -> WorkflowState:
    lease.require()
    saved = await client.save_draft(n8n_id, prepared.body)
    lease.require()
    state = await _publish_when_free(client, n8n_id, saved.version_id)
    await client.wait_until_live([prepared.marker], deadline_seconds=LIVE_WITHIN_SECONDS)
    return state


async def _take_place(
    replaced: DataIngestion,
    old: str,
    n8n_id: str,
    client: N8nClient,
    lease: HeldLease,
    prepared: Prepared,
) -> WorkflowState:
    lease.require()
    saved = await client.save_draft(n8n_id, prepared.body)
    tries = _TRIES
    while True:
        await _take_off(replaced, old, client, lease)
        point("ingestion.taken_off")
        tries -= 1
        # Taking it off may have taken long: one that was superseded meanwhile must not publish.
        lease.require()
        await lease.renew()
        try:
            state = await _publish_when_free(client, n8n_id, saved.version_id)
            break
        except N8nRefused as error:
            if error.n8n_status != _CONFLICT or not tries:
                raise
        # n8n keeps an address in its cache when a call comes in the moment it forgets it (docs/n8n.md). It
        # forgets it for good when the old workflow is published and taken off once more.
        await _put_back(replaced, old, client, lease)
    await client.wait_until_live([prepared.marker], deadline_seconds=LIVE_WITHIN_SECONDS)
    return state


async def _publish_when_free(client: N8nClient, n8n_id: str, version_id: str) -> WorkflowState:
    ends = time.monotonic() + _CONFLICT_SECONDS
    while True:
        try:
            return await client.publish(n8n_id, version_id)
        except N8nRefused as error:
            # Addresses that are not registered any more may be taken for a moment.
            if error.n8n_status != _CONFLICT or time.monotonic() >= ends:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)


async def _take_off(old: DataIngestion, n8n_id: str, client: N8nClient, lease: HeldLease) -> None:
    lease.require()
    try:
        await client.unpublish(n8n_id)
    except N8nRefused as error:
        if error.n8n_status != _GONE:
            raise
        return
    await client.wait_until_gone(_addresses(old), deadline_seconds=_FREE_WITHIN_SECONDS)


def _addresses(ingestion: DataIngestion) -> list[WebhookAddress]:
    urls = (ingestion.webhook_urls.embed, ingestion.webhook_urls.delete)
    return [WebhookAddress("POST", urlsplit(url).path.partition("/webhook/")[2]) for url in urls]


async def _remove_made(ingestion: DataIngestion, client: N8nClient, lease: HeldLease) -> None:
    lease.require()
    for found in await client.find_workflows_by_name(origin_of(ingestion).name):
        lease.require()
        await remove(client, found.id)


async def _put_back(old: DataIngestion, n8n_id: str, client: N8nClient, lease: HeldLease) -> list[str]:
    lease.require()
    await lease.renew()
    try:
        state = await client.get_workflow(n8n_id)
        if state.active_version_id == old.n8n_version_id:
            return []
        await _publish_when_free(client, n8n_id, old.n8n_version_id or state.version_id)
        await client.wait_until_live(_addresses(old), deadline_seconds=LIVE_WITHIN_SECONDS)
    except N8nRefused as error:
        if error.n8n_status not in _FINAL:
            raise
        return [f"Version {old.version}, which was active, could not be put back: {error.message}"]
    except N8nNotLive as error:
        return [error.message]
    return []
