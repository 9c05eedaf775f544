"""What only the owner of an installation and the organization's managers may do."""

from __future__ import annotations

from shared.errors import Conflict, Forbidden
from shared.model.apikey import ApiKey
from shared.model.instance import ProcessInstance
from shared.services.access import accessible_instance, role_in
from shared.services.organizations.management import manages
from shared.services.platform import Platform
from shared.store.store import Found


async def own_or_managed(
    platform: Platform, key: ApiKey, process_instance_id: str, what: str, *, uninstalled: bool = False
) -> Found[ProcessInstance]:
    """Return an installation of one's own, or of an organization one manages; ``what`` is to be done to it.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``), Forbidden.
        Conflict (``INSTANCE_UNINSTALLED``): it was uninstalled, unless that is allowed.
    """
    found = await accessible_instance(platform, key, process_instance_id)
    instance = found.value
    owns = key.user_id == instance.user_id
    if not owns and not manages(key, await role_in(platform, key, instance.organization_id)):
        raise Forbidden(f"Only its owner and the organization's admins can {what}.")
    if instance.uninstalled_at is not None and not uninstalled:
        raise Conflict(
            "This process instance was uninstalled. Install the process again.", code="INSTANCE_UNINSTALLED"
        )
    return found
