"""Activate an installation that waited for an integration: deploy it again (platform §4).

Workflows name what was connected when they were deployed, so switching the old ones on would not do.
"""

from __future__ import annotations

from shared.errors import InvalidRequest
from shared.model.apikey import ApiKey
from shared.model.deployment import DeploymentInstance, DeploymentStatus
from shared.model.instance import ProcessInstance
from shared.model.instance_events import Event, Standing, is_active_after, standing_of
from shared.services.access import accessible_instance
from shared.services.deployments.rerun import Wish, redeploy
from shared.services.instances.switch import Switched
from shared.services.instances.turn import in_progress
from shared.services.platform import Platform
from shared.store.store import Found


def waits(instance: ProcessInstance, current: DeploymentInstance | None) -> bool:
    """Return whether an installation that ran before is off for want of an integration alone."""
    ran = current is not None and current.deployment_status is DeploymentStatus.DEPLOYED
    lost = standing_of(instance) is Standing.MISSING_INTEGRATION
    return ran and lost and is_active_after(Event.INTEGRATION_RESTORED, instance)


async def resume(platform: Platform, key: ApiKey, process_instance_id: str) -> Switched:
    """Deploy again what waited for an integration that is connected now.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``): somebody else is at work, or it takes longer than a request.
        InvalidRequest (``DEPLOYMENT_FAILED``): it did not succeed; what n8n said is in the message.
    """

    async def read() -> Found[ProcessInstance]:
        return await accessible_instance(platform, key, process_instance_id)

    carried = (await redeploy(platform, key, Wish(process_instance_id, {}, force=True), read)).carried
    if carried.status == "failed":
        raise InvalidRequest(
            f"The process instance was deployed again with what is connected now, and that failed: "
            f"{carried.error} Rerun the deployment.",
            code="DEPLOYMENT_FAILED",
        )
    if carried.status == "pending":
        raise in_progress()
    return Switched((await read()).value, len(carried.rows))
