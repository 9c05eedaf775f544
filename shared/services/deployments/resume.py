"""The watchdog: take over a deployment whose worker is gone, and what an ended one left (design §5)."""

from __future__ import annotations

from shared.errors import Conflict, PlatformError
from shared.model.deployment import DeploymentInstance, DeploymentStatus
from shared.services.deployments.aftermath import finish_up, stop_if_lacking
from shared.services.deployments.lease import HeldLease, LeaseLost, StillHeld, new_lease
from shared.services.deployments.lifecycle import at_work
from shared.services.deployments.run import fail, run
from shared.services.deployments.settle import settle
from shared.services.deployments.work import load_tenant, load_work, n8n_of
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch

MAX_ATTEMPTS = 5
"""Workers a deployment may use up before it is failed."""

_RECORDED_WITHIN = 5
"""Deliveries after which a deployment that is not recorded never will be."""


class Abandoned(PlatformError):
    """No worker survived the deployment."""

    default_code = "DEPLOYMENT_ABANDONED"


async def resume(platform: Platform, deployment_instance_id: str, deliveries: int) -> str:
    """Complete or fail a deployment, or clean up after one; return what happened, for the log.

    ``deliveries`` is the number of earlier deliveries of the same task.

    Raises:
        StillHeld: its worker is alive.
        UpstreamError: n8n is down, and what the deployment left there must be removed later.
    """
    found = await platform.store.get(refs.deployment(deployment_instance_id))
    if found is None:
        # The task is booked before the deployment is recorded.
        if deliveries < _RECORDED_WITHIN:
            raise StillHeld("The deployment is not recorded yet.")
        return "never recorded"
    if found.value.deployment_status.is_terminal:
        return await _clean_up(platform, found, deployment_instance_id)
    held_until = found.value.lease.expires_at if found.value.lease else None
    if held_until and platform.sources.now() < held_until:
        raise StillHeld("The deployment's worker is alive.")
    return await _go_on(platform, found, deployment_instance_id)


async def _go_on(platform: Platform, found: Found[DeploymentInstance], deployment_instance_id: str) -> str:
    lease, deployment = await _take_over(platform, found)
    work = await load_work(platform, deployment_instance_id, deployment)
    try:
        if deployment.attempts > MAX_ATTEMPTS:
            gone = Abandoned(
                "The deployment was given up: several workers ended in the middle of it. Deploy again."
            )
            await fail(platform, work, lease, gone, touched=True)
            return "given up"
        await run(platform, work, lease)
    except LeaseLost:
        raise StillHeld("Another worker took the deployment.") from None
    except PlatformError as error:
        return f"failed: {error.code}"
    return "deployed"


async def _clean_up(platform: Platform, found: Found[DeploymentInstance], deployment_instance_id: str) -> str:
    deployment = found.value
    if deployment.deployment_status is DeploymentStatus.FAILED:
        return await settle(platform, found, deployment_instance_id)
    instance = await platform.store.get(refs.instance(deployment.process_instance_id))
    if instance is None:
        return "finished"
    if not (deployment.leftovers or deployment.pauses):
        return await _see(platform, deployment_instance_id, deployment)
    owner = instance.value.user_id
    tenant = await load_tenant(platform, deployment.organization_id, owner, departed=True)
    client = await n8n_of(platform, tenant)
    try:
        await finish_up(platform, client, deployment_instance_id, deployment)
    except Conflict as error:
        raise StillHeld(error.message) from None
    return "finished up"


async def _see(platform: Platform, deployment_instance_id: str, deployment: DeploymentInstance) -> str:
    try:
        stopped = await stop_if_lacking(platform, deployment_instance_id, deployment)
    except Conflict as error:
        raise StillHeld(error.message) from None
    return "stopped" if stopped else "finished"


async def _take_over(
    platform: Platform, found: Found[DeploymentInstance]
) -> tuple[HeldLease, DeploymentInstance]:
    lease = new_lease(platform, platform.sources.uuid7())
    deployment = found.value.model_copy(
        update={
            "lease": lease,
            "attempts": found.value.attempts + 1,
            "deployment_status": at_work(found.value.deployment_status),
        }
    )
    changes = {k: getattr(deployment, k) for k in ("lease", "attempts", "deployment_status")}
    try:
        (version,) = await platform.store.commit(Patch(found.ref, changes, found.update_time))
    except Changed:
        raise StillHeld("Another worker took the deployment.") from None
    return HeldLease(platform, found.ref, lease, version), deployment
