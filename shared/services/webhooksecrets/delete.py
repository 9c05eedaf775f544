"""Delete a secret: from the next call on, nothing that is signed with it is taken."""

from __future__ import annotations

from shared.errors import NotFound
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.services.audit import audited
from shared.services.installations.own import own_or_managed
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Patch


async def delete_secret(
    platform: Platform,
    key: ApiKey,
    process_instance_id: str,
    workflow_id: str,
    secret_id: str,
) -> None:
    """Delete one secret of a workflow; the others go on to be accepted.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``, ``WEBHOOK_SECRET_NOT_FOUND``), Forbidden: the caller neither owns
            the installation nor manages its organization.
        Conflict (``INSTANCE_UNINSTALLED``)
    """
    instance = await own_or_managed(platform, key, process_instance_id, "delete its webhook secrets")
    entry = audited(
        platform,
        key,
        AuditAction.WEBHOOK_SECRET_DELETED,
        instance.value.organization_id,
        process_instance_id,
        workflow_id=workflow_id,
        secret_id=secret_id,
    )

    async def attempt() -> None:
        present = await platform.store.get(refs.webhook_secrets(process_instance_id, workflow_id))
        secrets = present.value.secrets if present else []
        left = [secret for secret in secrets if secret.secret_id != secret_id]
        if present is None or len(left) == len(secrets):
            raise NotFound(
                f"Workflow {workflow_id} has no webhook secret {secret_id}.", code="WEBHOOK_SECRET_NOT_FOUND"
            )
        await platform.store.commit(Patch(present.ref, {"secrets": left}, present.update_time), entry)

    await until_undisturbed(attempt)
