"""Activate and deactivate installations (api §5.20, §5.21, platform §11.3)."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import PlatformError, UpstreamError
from shared.model.apikey import ApiKey
from shared.model.deployment import DeploymentInstance
from shared.model.instance import ProcessInstance
from shared.model.instance_events import Event
from shared.services.access import accessible_instance
from shared.services.credits.gate import admit
from shared.services.instances.allowed import is_to_do, without_integrations
from shared.services.instances.resume import resume, waits
from shared.services.instances.switch import Switched, switch
from shared.services.integrations.lacking import lacking
from shared.services.integrations.missing import MissingIntegrations
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import find, owned_by
from shared.store.store import Found


@dataclass(frozen=True, slots=True)
class Activation:
    """What a switch came to. ``toggled`` is the owner's other environment, if that was switched off."""

    switched: Switched
    toggled: Found[ProcessInstance] | None = None


async def activate(platform: Platform, key: ApiKey, process_instance_id: str) -> Activation:
    """Let an installation run; with auto-toggle on, switch the owner's other environment off.

    One that lost an integration which is connected again is deployed again.

    Raises:
        NotFound, Forbidden: as for any use of the installation.
        InsufficientCredits: the organization has none left.
        Conflict (``DEPLOYMENT_IN_PROGRESS``, ``INSTANCE_ARCHIVED``, ``MISSING_INTEGRATION``), InvalidRequest
        (``DEPLOYMENT_FAILED``), UpstreamError: it stays off.
    """
    found = await accessible_instance(platform, key, process_instance_id)
    instance = found.value
    current, process = await platform.store.fetch(
        refs.deployment(instance.current_deployment_instance_id), refs.process(instance.process_id)
    )
    switched = await _activated(platform, key, found, current.value if current else None)
    toggles = process is not None and process.value.auto_toggle_dev_prod
    return Activation(switched, await _switch_other_off(platform, key, instance) if toggles else None)


async def _activated(
    platform: Platform, key: ApiKey, found: Found[ProcessInstance], current: DeploymentInstance | None
) -> Switched:
    instance = found.value
    waiting = waits(instance, current)
    if not waiting and not is_to_do(Event.ACTIVATED, instance, current):
        return Switched(instance, 0)
    # What was paused, or waited, may have lost any of its integrations meanwhile.
    if missing := await lacking(platform, instance):
        raise without_integrations(MissingIntegrations(missing).message)
    await admit(platform, instance.organization_id, 0)
    if waiting:
        return await resume(platform, key, found.ref.path.rpartition("/")[2])
    return await switch(platform, found, Event.ACTIVATED, key)


async def deactivate(platform: Platform, key: ApiKey, process_instance_id: str) -> Activation:
    """Pause an installation without removing anything.

    Raises:
        NotFound, Forbidden, Conflict (``DEPLOYMENT_IN_PROGRESS``), UpstreamError.
    """
    found = await accessible_instance(platform, key, process_instance_id)
    current = await platform.store.get(refs.deployment(found.value.current_deployment_instance_id))
    if not is_to_do(Event.PAUSED, found.value, current.value if current else None):
        return Activation(Switched(found.value, 0))
    return Activation(await switch(platform, found, Event.PAUSED, key))


async def _switch_other_off(
    platform: Platform, key: ApiKey, instance: ProcessInstance
) -> Found[ProcessInstance] | None:
    mine = owned_by("processInstances", ProcessInstance, "process_id", instance.process_id)
    for found in await find(platform.store, mine.where("user_id", "==", instance.user_id)):
        other = found.value
        is_the_other = other.organization_id == instance.organization_id
        if is_the_other and other.environment is not instance.environment and other.is_active:
            await _off(platform, key, found)
            return found
    return None


async def _off(platform: Platform, key: ApiKey, found: Found[ProcessInstance]) -> None:
    try:
        await switch(platform, found, Event.TOGGLED, key)
    except PlatformError as error:
        environment = found.value.environment.value
        raise UpstreamError(
            f"The process instance is active, but its {environment} environment could not be switched off: "
            f"{error.message} Activate again to repeat that.",
            code=error.code,
        ) from error
