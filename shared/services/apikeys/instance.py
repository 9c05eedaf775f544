"""The key of an installation: shown again to its owner, and replaced (platform §2)."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import Conflict, Forbidden
from shared.model.apikey import ApiKey, KeyKind
from shared.model.audit import AuditAction
from shared.model.instance import ProcessInstance
from shared.model.organization import Organization
from shared.services.access import accessible_instance, role_in
from shared.services.audit import audited
from shared.services.organizations.management import manages
from shared.services.organizations.mint import MintedKey, mint_key
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.services.secrets import instance_key, open_text, seal_text
from shared.store import refs
from shared.store.store import Delete, Found, Patch
from shared.vault.apikeys import digest, shown_prefix


@dataclass(frozen=True, slots=True)
class InstanceKey:
    """An installation's key in clear, to be handed out at once."""

    raw: str

    @property
    def prefix(self) -> str:
        """What may be shown of it."""
        return shown_prefix(self.raw)

    def __repr__(self) -> str:
        return f"InstanceKey({self.prefix}…)"


async def reveal_key(platform: Platform, caller: ApiKey, process_instance_id: str) -> InstanceKey:
    """Return the key; that it was shown is in the audit log first.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``): there is no such installation.
        Forbidden: the caller neither owns it nor manages its organization.
    """
    found = await _own_or_managed(platform, caller, process_instance_id)
    raw = await _opened(platform, found.value, process_instance_id)
    organization_id, action = found.value.organization_id, AuditAction.INSTANCE_KEY_REVEALED
    await platform.store.commit(audited(platform, caller, action, organization_id, process_instance_id))
    return InstanceKey(raw)


async def regenerate_key(platform: Platform, caller: ApiKey, process_instance_id: str) -> InstanceKey:
    """Replace the key: from one moment to the next the old one is refused and the new one accepted.

    Raises:
        Conflict: ``INSTANCE_KEY_REPLACED``: somebody else replaced it at the same time;
            ``INSTANCE_UNINSTALLED``.
        NotFound, Forbidden: as in :func:`reveal_key`.
    """
    first = await _own_or_managed(platform, caller, process_instance_id)
    replaced = first.value.instance_key
    old = digest(await _opened(platform, first.value, process_instance_id))
    organization_id = first.value.organization_id
    minted = await _new_key(platform, first.value, process_instance_id)
    context = instance_key(organization_id, process_instance_id)
    sealed = await seal_text(platform, minted.raw, context)

    async def attempt() -> None:
        found = await accessible_instance(platform, caller, process_instance_id)
        if found.value.uninstalled_at is not None:
            raise Conflict("This process instance was uninstalled.", code="INSTANCE_UNINSTALLED")
        if found.value.instance_key != replaced:
            raise Conflict(
                "The key was replaced by somebody else at the same time. Reveal it to see the new one.",
                code="INSTANCE_KEY_REPLACED",
            )
        action = AuditAction.INSTANCE_KEY_REGENERATED
        await platform.store.commit(
            Patch(found.ref, {"instance_key": sealed}, found.update_time),
            Delete(refs.api_key(old)),
            *minted.records,
            audited(platform, caller, action, organization_id, process_instance_id),
        )

    await until_undisturbed(attempt)
    return InstanceKey(minted.raw)


async def _own_or_managed(
    platform: Platform, caller: ApiKey, process_instance_id: str
) -> Found[ProcessInstance]:
    found = await accessible_instance(platform, caller, process_instance_id)
    if caller.kind is KeyKind.ADMIN or caller.user_id == found.value.user_id:
        return found
    # Sharing an installation shares its use, not its key.
    if not manages(caller, await role_in(platform, caller, found.value.organization_id)):
        raise Forbidden("Only its owner and the organization's admins have access to the key of an instance.")
    return found


async def _opened(platform: Platform, instance: ProcessInstance, process_instance_id: str) -> str:
    context = instance_key(instance.organization_id, process_instance_id)
    return await open_text(platform, instance.instance_key, context)


async def _new_key(platform: Platform, instance: ProcessInstance, process_instance_id: str) -> MintedKey:
    tenant: Found[Organization] | None = await platform.store.get(refs.organization(instance.organization_id))

    return mint_key(
        platform,
        KeyKind.INSTANCE,
        user_id=instance.user_id,
        name=f"{instance.title} ({instance.environment.value})"[:100],
        organization_id=instance.organization_id,
        organization_name=tenant.value.name if tenant else None,
        process_instance_id=process_instance_id,
    )
