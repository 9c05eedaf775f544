"""Undo in n8n what a failed deployment could not: n8n was down when it ended."""

from __future__ import annotations

from datetime import timedelta

from shared.errors import UpstreamError
from shared.model.deployment import DeploymentInstance
from shared.model.instance_events import Outcome, ended
from shared.n8n.client import N8nClient
from shared.services.deployments.lease import HeldLease, StillHeld, new_lease
from shared.services.deployments.lock import is_locked, letting_go, locking
from shared.services.deployments.restore import remove, restore
from shared.services.deployments.work import Work, load_work, n8n_of
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch

TRIES_FOR = timedelta(minutes=10)
"""How long after a failure n8n is given to run again what it ran before."""


async def settle_first(platform: Platform, work: Work, client: N8nClient, lease: HeldLease) -> Work:
    """Clear the way for a deployment: what earlier ones left must not be taken for what is live.

    Returns the work to go on with.

    Raises:
        UpstreamError, LeaseLost.
    """
    if work.replaces is not None:
        for n8n_id in work.replaces.leftovers:
            await remove(client, n8n_id)
    unsettled = work.instance.unsettled_deployment_instance_id
    found = await platform.store.get(refs.deployment(unsettled)) if unsettled else None
    if unsettled is None or found is None:
        return work
    earlier = await load_work(platform, unsettled, found.value)
    restored = await restore(platform, earlier, client, lease)
    settled = Patch(refs.instance(work.instance_id), _SETTLED)
    await lease.renew(settled, *restored.recording(work))
    return restored.recorded_in(work)


async def settle(platform: Platform, found: Found[DeploymentInstance], deployment_id: str) -> str:
    """Undo a failed deployment that could not be undone when it failed; return what happened, for the log.

    Raises:
        StillHeld: a newer deployment is at work, and may do it.
        UpstreamError: n8n is still down.
    """
    deployment = found.value
    instance = await platform.store.get(refs.instance(deployment.process_instance_id))
    if instance is None or instance.value.unsettled_deployment_instance_id != deployment_id:
        return "finished"
    work = await load_work(platform, deployment_id, deployment)
    client = await n8n_of(platform, work.tenant)
    # Before the project is locked: while n8n is down, nobody else shall wait for that.
    await client.check()
    lease = await _lock(platform, found, deployment_id)
    failed_at = deployment.completed_at or deployment.created_at
    try:
        async with lease.kept():
            last_try = platform.sources.now() > failed_at + TRIES_FOR
            restored = await restore(platform, work, client, lease, last_try=last_try)
    except UpstreamError:
        await lease.write({"lease": None}, letting_go(work.instance_id))
        raise
    error = f"{deployment.error or ''} {restored.message}".strip()
    broken = ended(deployment.purpose, Outcome.BROKEN, work.instance) if restored.switched else {}
    settled = letting_go(work.instance_id, {**_SETTLED, **broken})
    writes = [settled, *restored.freeing(work), *restored.recording(work)]
    await lease.write({"lease": None, "error": error}, *writes)
    return "switched off" if restored.switched else "put back"


_SETTLED: dict[str, object] = {"unsettled_deployment_instance_id": None}


async def _lock(platform: Platform, found: Found[DeploymentInstance], deployment_id: str) -> HeldLease:
    """Take the installation and the deployment, so that nobody else changes what n8n runs."""
    now = platform.sources.now()
    instance = await platform.store.get(refs.instance(found.value.process_instance_id))
    held = found.value.lease is not None and now < found.value.lease.expires_at
    if instance is None or held or is_locked(instance.value, now, besides=deployment_id):
        raise StillHeld("Another worker is at this installation.")
    lease = new_lease(platform, platform.sources.uuid7())
    taken = Patch(found.ref, {"lease": lease}, found.update_time)
    try:
        version, *_ = await platform.store.commit(taken, locking(instance, deployment_id, now))
    except Changed:
        raise StillHeld("Another worker took the installation.") from None
    return HeldLease(platform, found.ref, lease, version)
