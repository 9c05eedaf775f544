"""The watchdog: take over a deployment whose worker is gone (design §5)."""

from __future__ import annotations

from shared.errors import PlatformError, UpstreamError
from shared.model.deployment import DeploymentInstance, DeploymentStatus
from shared.services.deployments.lease import HeldLease, LeaseLost, new_lease
from shared.services.deployments.run import record_failure, run
from shared.services.deployments.work import load_work
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch

MAX_ATTEMPTS = 5
"""Workers a deployment may use up before it is failed."""


class StillHeld(UpstreamError):
    """Another worker holds the lease; the task must be delivered again later."""

    status = 503
    default_code = "TRY_LATER"


class Abandoned(PlatformError):
    """No worker survived the deployment."""

    default_code = "DEPLOYMENT_ABANDONED"


async def resume(platform: Platform, deployment_instance_id: str) -> str:
    """Complete or fail a deployment; return what happened, for the log.

    Raises:
        StillHeld: its worker is alive.
    """
    found = await platform.store.get(refs.deployment(deployment_instance_id))
    if found is None:
        return "never recorded"
    if found.value.deployment_status.is_terminal:
        return "finished"
    held_until = found.value.lease.expires_at if found.value.lease else None
    if held_until and platform.sources.now() < held_until:
        raise StillHeld("The deployment's worker is alive.")
    lease, deployment = await _take_over(platform, found)
    work = await load_work(platform, deployment_instance_id, deployment)
    if deployment.attempts > MAX_ATTEMPTS:
        gone = Abandoned(
            "The deployment was given up: several workers ended in the middle of it. Deploy again."
        )
        await record_failure(platform, work, lease, gone)
        return "given up"
    try:
        await run(platform, work, lease)
    except LeaseLost:
        return "lost to another worker"
    except PlatformError as error:
        return f"failed: {error.code}"
    return "deployed"


async def _take_over(
    platform: Platform, found: Found[DeploymentInstance]
) -> tuple[HeldLease, DeploymentInstance]:
    holder = platform.sources.uuid7()
    deployment = found.value.model_copy(
        update={
            "lease": new_lease(platform, holder),
            "attempts": found.value.attempts + 1,
            "deployment_status": DeploymentStatus.DEPLOYING,
        }
    )
    changes = {k: getattr(deployment, k) for k in ("lease", "attempts", "deployment_status")}
    try:
        (version,) = await platform.store.commit(Patch(found.ref, changes, found.update_time))
    except Changed:
        raise StillHeld("Another worker took the deployment.") from None
    return HeldLease(platform, found.ref, holder, version), deployment
