"""What is left to do once a version is live.

In this order: remove what it dropped, pause its sibling, see whether an integration was deleted meanwhile.

The deployment's document says what is left, so its watchdog can do it as well.
"""

from __future__ import annotations

from shared.model.deployment import DeploymentInstance
from shared.model.instance_events import Event
from shared.n8n.client import N8nClient
from shared.services.deployments.restore import remove
from shared.services.instances.switch import switch
from shared.services.integrations.lacking import lacking
from shared.services.platform import Platform
from shared.store import refs
from shared.store.refs import Ref
from shared.store.store import Patch


async def finish_up(
    platform: Platform,
    client: N8nClient,
    deployment_id: str,
    deployment: DeploymentInstance,
    *,
    uses_integrations: bool = True,
) -> None:
    """Do what the deployment's document says is left; safe to repeat.

    What is known to use no integration can have lost none.

    Raises:
        UpstreamError: n8n is down; it is to be repeated.
        Conflict (``DEPLOYMENT_IN_PROGRESS``): the sibling is worked on; it is to be repeated.
    """
    reference = refs.deployment(deployment_id)
    if deployment.leftovers:
        await sweep(platform, client, reference, deployment.leftovers)
    if deployment.pauses is not None:
        await _pause(platform, deployment_id, deployment, deployment.pauses)
        await platform.store.commit(Patch(reference, {"pauses": None}))
    if uses_integrations:
        await stop_if_lacking(platform, deployment_id, deployment)


async def stop_if_lacking(platform: Platform, deployment_id: str, deployment: DeploymentInstance) -> bool:
    """Switch off what went live while somebody deleted an integration it uses; return whether it was.

    Whoever deletes marks the integration first and looks for dependants then: one of the two sees the other.

    Raises:
        UpstreamError, Conflict: as :func:`finish_up`.
    """
    found = await platform.store.get(refs.instance(deployment.process_instance_id))
    if found is None or not found.value.is_active or found.value.live_deployment_instance_id != deployment_id:
        return False
    if not found.value.integration_uses or not await lacking(platform, found.value):
        return False
    await switch(platform, found, Event.INTEGRATION_LOST, deployment.started_by or found.value.user_id)
    return True


async def sweep(
    platform: Platform, client: N8nClient, reference: Ref[DeploymentInstance], leftovers: list[str]
) -> None:
    """Remove the workflows that a deployment replaced by nothing.

    Raises:
        UpstreamError
    """
    for n8n_id in leftovers:
        await remove(client, n8n_id)
    await platform.store.commit(Patch(reference, {"leftovers": []}))


async def _pause(
    platform: Platform, deployment_id: str, deployment: DeploymentInstance, sibling_id: str
) -> None:
    """Pause the owner's other installation, unless this one does not run any more (decision 15)."""
    own, sibling = await platform.store.fetch(
        refs.instance(deployment.process_instance_id), refs.instance(sibling_id)
    )
    runs = own is not None and own.value.is_active
    if not runs or own.value.live_deployment_instance_id != deployment_id:
        return
    if sibling is not None and sibling.value.is_active:
        actor = deployment.started_by or own.value.user_id
        await switch(platform, sibling, Event.TOGGLED, actor)
