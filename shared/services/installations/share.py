"""Changing who in the organization may use an installation (platform §5, §12)."""

from __future__ import annotations

from shared.errors import InvalidRequest
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.instance import ProcessInstance, SharedWith, Sharing
from shared.model.project import ProcessType
from shared.services.audit import audited
from shared.services.deployments.installation import shared
from shared.services.deployments.work import live_deployment
from shared.services.installations.own import own_or_managed
from shared.services.instances.turn import turn_at
from shared.services.platform import Platform
from shared.services.publishing.audience import Audience, sharing_of
from shared.services.publishing.people import require_members
from shared.store import refs
from shared.store.store import Patch, Write


async def share(
    platform: Platform,
    key: ApiKey,
    process_instance_id: str,
    shared_with: SharedWith,
    user_ids: tuple[str, ...],
) -> Sharing:
    """Return who may use an installation from now on.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``), Forbidden: the caller neither owns it nor manages its organization.
        InvalidRequest: users are named but not meant, or meant but not named, or are no members; or a
            personal process is to be shared.
        Conflict (``INSTANCE_UNINSTALLED``, ``DEPLOYMENT_IN_PROGRESS``)
    """
    found = await own_or_managed(platform, key, process_instance_id, "share a process instance")
    instance = found.value
    process = await platform.store.get(refs.process(instance.process_id))
    personal = process is not None and process.value.process_type is ProcessType.PERSONAL
    if personal and shared_with is not SharedWith.OWNER_ONLY:
        raise InvalidRequest(
            "A personal process is its owner's alone: others install it for themselves.",
            field="sharedWith",
            reason="must be owner_only",
        )
    asked = Audience(shared_with=shared_with, shared_with_user_ids=user_ids)
    sharing = sharing_of(ProcessType.ORGANIZATIONAL, instance.user_id, None, asked)
    named = sharing.shared_with_user_ids
    await require_members(platform, instance.organization_id, named, "sharedWithUserIds")
    entry = audited(
        platform,
        key,
        AuditAction.INSTANCE_SHARED,
        instance.organization_id,
        process_instance_id,
        shared_with=sharing.shared_with.value,
        users=named,
    )
    # A deployment writes endpoints with what it read of the sharing, so none may be at work.
    async with turn_at(platform, found.ref) as turn:
        present = await platform.store.get(found.ref)
        patches = await _endpoints(platform, process_instance_id, present.value, sharing) if present else []
        await turn.end({**shared(sharing), "visible_to": sharing.audience}, *patches, entry)
    return sharing


async def _endpoints(
    platform: Platform, process_instance_id: str, instance: ProcessInstance, sharing: Sharing
) -> list[Write]:
    live = await live_deployment(platform, instance)
    rows = live.workflows if live else []
    return [Patch(refs.endpoint(process_instance_id, row.workflow_id), shared(sharing)) for row in rows]
