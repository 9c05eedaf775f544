"""Deploy again what waited for a connection, and for nothing else."""

from __future__ import annotations

from shared.errors import Conflict, InvalidRequest, NotFound
from shared.model.instance import ProcessInstance
from shared.model.instance_events import Event, Standing, is_active_after, standing_of
from shared.model.integrations import ContextType, Integration
from shared.services.deployments.rerun import Wish, redeploy
from shared.services.integrations.missing import MissingIntegrations
from shared.services.integrations.oauth.queues import TokenOrder
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import below, find, owned_by
from shared.store.store import Found


async def resume_dependants(platform: Platform, order: TokenOrder) -> int:
    """Return how many installations were deployed again. Safe to repeat.

    Raises:
        Conflict: one of them is being deployed or switched; to be repeated.
    """
    holder = order.holder
    found = await platform.store.get(refs.integration(holder, order.integration_id))
    if found is None or not found.value.has_valid_tokens or found.value.token_version != order.token_version:
        return 0
    query = owned_by("processInstances", ProcessInstance, "organization_id", holder.organization_id)
    waiting = await find(
        platform.store, query.where("inactive_reason", "==", Standing.MISSING_INTEGRATION.value)
    )
    usable = await _usable(platform, order) if waiting else set()
    count = 0
    for dependant in waiting:
        if await _waits(platform, order, dependant.value, usable):
            count += await _deploy(platform, found.value, dependant)
    return count


async def _usable(platform: Platform, order: TokenOrder) -> set[str]:
    query = below(refs.organization(order.organization_id), "integrations", Integration)
    found = await find(platform.store, query.where("has_valid_tokens", "==", True))
    return {f"{known.value.holder}:{known.value.integration_id}" for known in found}


async def _waits(platform: Platform, order: TokenOrder, instance: ProcessInstance, usable: set[str]) -> bool:
    """Whether the connection is all that an installation lacks."""
    if instance.is_active or not is_active_after(Event.INTEGRATION_RESTORED, instance):
        return False
    if instance.integration_uses:
        use = order.holder.use_of(order.integration_id)
        return use in instance.integration_uses and usable.issuperset(instance.integration_uses)
    # One that never ran stands on nothing yet: what its deployment lacked is in the words it failed with.
    if order.context_type is ContextType.MEMBER and instance.user_id != order.owner:
        return False
    deployment = await platform.store.get(refs.deployment(instance.current_deployment_instance_id))
    return (
        deployment is not None
        and deployment.value.error == MissingIntegrations([order.integration_id]).message
    )


async def _deploy(platform: Platform, integration: Integration, dependant: Found[ProcessInstance]) -> int:
    async def read() -> Found[ProcessInstance]:
        found = await platform.store.get(dependant.ref)
        if found is None:
            raise NotFound("The process instance does not exist any more.", code="INSTANCE_NOT_FOUND")
        if standing_of(found.value) is not Standing.MISSING_INTEGRATION:
            raise NotFound("The process instance waits no more.", code="NOT_WAITING")
        return found

    instance_id = dependant.ref.path.rpartition("/")[2]
    try:
        await redeploy(platform, integration.connected_by, Wish(instance_id, {}, force=True), read)
    except (NotFound, InvalidRequest):
        # Whoever changed it, or left a parameter out, has to say what becomes of it.
        return 0
    except Conflict as conflict:
        if conflict.code == "INSTANCE_ARCHIVED":
            return 0
        raise
    return 1
