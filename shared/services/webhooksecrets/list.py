"""Which secrets calls of an installation's workflows may be signed with; never the secrets themselves."""

from __future__ import annotations

from shared.model.apikey import ApiKey
from shared.model.signing import WebhookSecrets
from shared.services.installations.own import own_or_managed
from shared.services.platform import Platform
from shared.store.query import find, owned_by


async def list_secrets(
    platform: Platform,
    key: ApiKey,
    process_instance_id: str,
    workflow_id: str | None = None,
) -> list[WebhookSecrets]:
    """Return the secrets of every workflow, or of one. Workflows of earlier versions keep theirs.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``), Forbidden: the caller neither owns the installation nor manages its
            organization.
        Conflict (``INSTANCE_UNINSTALLED``)
    """
    await own_or_managed(platform, key, process_instance_id, "see its webhook secrets")
    query = owned_by("webhookSecrets", WebhookSecrets, "process_instance_id", process_instance_id)
    listed = [one.value for one in await find(platform.store, query)]
    wanted = [one for one in listed if workflow_id in (None, one.workflow_id)]
    return sorted(wanted, key=lambda one: one.workflow_id)
