"""Remove what is left of an uninstalled installation; every step may be repeated."""

from __future__ import annotations

from shared.errors import Internal
from shared.model.deployment import DeploymentInstance, N8nWorkflowOwner
from shared.model.endpoint import Endpoint
from shared.model.instance import ProcessInstance
from shared.model.integrations import ContextType, Holder, Integration
from shared.model.signing import WebhookSecrets
from shared.n8n.client import N8nClient
from shared.services.deployments.bodies import origin_of
from shared.services.deployments.restore import remove
from shared.services.deployments.work import load_work
from shared.services.faults import point
from shared.services.installations.claim import claims_of, releasing
from shared.services.instances.turn import Turn, turn_at
from shared.services.integrations.ending import end
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.services.secrets import instance_key, open_text
from shared.store import refs
from shared.store.query import below, find, owned_by
from shared.store.store import Delete, Patch, Write
from shared.vault.apikeys import digest

_SETTLED: dict[str, object] = {
    "unsettled_deployment_instance_id": None,
    "integration_uses": [],
    "switching": None,
}


async def remove_remains(platform: Platform, process_instance_id: str) -> str:
    """Remove the workflows, credentials, endpoints, secrets, key and claim of an uninstalled installation.

    Returns what happened, for the log.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``): somebody is at it; to be repeated.
        UpstreamError: n8n is down; to be repeated.
    """
    found = await platform.store.get(refs.instance(process_instance_id))
    if found is None or found.value.uninstalled_at is None:
        return "not uninstalled"
    async with turn_at(platform, found.ref) as turn:
        instance = found.value
        organization = await platform.store.get(refs.organization(instance.organization_id))
        if organization is None:
            raise Internal("An installation belongs to no organization.")
        client = await n8n_client(platform, organization.value.backend_id)
        await _remove_workflows(platform, client, turn, instance, process_instance_id)
        point("uninstall.workflows_removed")
        await _remove_integrations(platform, turn, instance, process_instance_id)
        point("uninstall.integrations_removed")
        await turn.end(_SETTLED, *await _documents(platform, instance, process_instance_id))
    return "removed"


async def _remove_workflows(
    platform: Platform, client: N8nClient, turn: Turn, instance: ProcessInstance, process_instance_id: str
) -> None:
    query = owned_by("deploymentInstances", DeploymentInstance, "process_instance_id", process_instance_id)
    deployments = [found.value for found in await find(platform.store, query)]
    named = [row.n8n_workflow_id for one in deployments for row in one.workflows]
    left = [n8n_id for one in deployments for n8n_id in one.leftovers]
    for n8n_id in dict.fromkeys([*named, *left]):
        if n8n_id:
            turn.require()
            await remove(client, n8n_id)
    if instance.unsettled_deployment_instance_id is not None:
        await _remove_unnamed(platform, client, instance.unsettled_deployment_instance_id)


async def _remove_unnamed(platform: Platform, client: N8nClient, deployment_id: str) -> None:
    """Remove what a deployment made that could not be undone, and that no document names."""
    found = await platform.store.get(refs.deployment(deployment_id))
    if found is None:
        return
    work = await load_work(platform, deployment_id, found.value)
    for workflow in work.configuration.workflows:
        name = origin_of(work, workflow.workflow_template_id).name
        for stray in await client.find_workflows_by_name(name):
            await remove(client, stray.id)


async def _remove_integrations(
    platform: Platform, turn: Turn, instance: ProcessInstance, process_instance_id: str
) -> None:
    holder = Holder(ContextType.PROCESS_INSTANCE, instance.organization_id, process_instance_id)
    query = below(refs.organization(instance.organization_id), "integrations", Integration)
    for found in await find(platform.store, query.where("holder", "==", holder.label)):
        turn.require()
        await end(platform, instance.user_id, holder, found)


async def _documents(platform: Platform, instance: ProcessInstance, process_instance_id: str) -> list[Write]:
    """Return what takes away the installation's addresses, its key and other secrets, and its claim."""
    endpoints = await find(
        platform.store, owned_by("endpoints", Endpoint, "process_instance_id", process_instance_id)
    )
    owners = await find(
        platform.store, owned_by("n8nWorkflows", N8nWorkflowOwner, "process_instance_id", process_instance_id)
    )
    signed_with = await find(
        platform.store,
        owned_by("webhookSecrets", WebhookSecrets, "process_instance_id", process_instance_id),
    )
    return [
        *(Delete(found.ref) for found in endpoints),
        *(Delete(found.ref) for found in signed_with),
        *(Delete(found.ref) for found in owners),
        *await _revocation(platform, instance, process_instance_id),
        *releasing(await claims_of(platform, instance, process_instance_id)),
    ]


async def _revocation(platform: Platform, instance: ProcessInstance, process_instance_id: str) -> list[Write]:
    context = instance_key(instance.organization_id, process_instance_id)
    raw = await open_text(platform, instance.instance_key, context)
    found = await platform.store.get(refs.api_key(digest(raw)))
    if found is None or found.value.revoked_at is not None:
        return []
    now = platform.sources.now()
    ended = min(now, found.value.active_until)
    # Without a condition: that it was used meanwhile does not matter.
    return [Patch(found.ref, {"revoked_at": now, "active_until": ended})]
