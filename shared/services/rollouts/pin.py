"""Let an installation stay at its version when another one is published (platform §12)."""

from __future__ import annotations

from shared.errors import Conflict
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.instance import ProcessInstance
from shared.services.access import accessible_instance
from shared.services.audit import audited
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Patch


async def pin(platform: Platform, key: ApiKey, process_instance_id: str, *, pinned: bool) -> ProcessInstance:
    """Pin an installation, or let it follow again from the next publish on; return it as it is then.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``), Forbidden.
        Conflict: ``INSTANCE_UNINSTALLED``; ``OWN_INSTANCE``, the publisher's deploys and publishes decide.
    """
    found = await accessible_instance(platform, key, process_instance_id)
    instance = found.value
    require_installed(instance)
    process = await platform.store.get(refs.process(instance.process_id))
    own = (process.value.dev_instance_id, process.value.prod_instance_id) if process else ()
    if pinned and process_instance_id in own:
        raise Conflict(
            "This is your own environment of the process: it changes only when you deploy or publish. "
            "Others who installed it can pin theirs.",
            code="OWN_INSTANCE",
        )
    if instance.pinned != pinned:
        await write_pin(platform, key, process_instance_id, instance, pinned=pinned)
    return instance.model_copy(update={"pinned": pinned})


async def write_pin(
    platform: Platform, key: ApiKey, process_instance_id: str, instance: ProcessInstance, *, pinned: bool
) -> None:
    """Write down whether an installation stays at its version."""
    action, organization_id = AuditAction.INSTANCE_PINNED, instance.organization_id
    entry = audited(platform, key, action, organization_id, process_instance_id, pinned=pinned)
    await platform.store.commit(Patch(refs.instance(process_instance_id), {"pinned": pinned}), entry)


def require_installed(instance: ProcessInstance) -> None:
    """Check that an installation is not gone.

    Raises:
        Conflict (``INSTANCE_UNINSTALLED``)
    """
    if instance.uninstalled_at is not None:
        raise Conflict(
            "This process instance was uninstalled. Install the process again.", code="INSTANCE_UNINSTALLED"
        )
