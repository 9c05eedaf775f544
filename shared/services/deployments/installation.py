"""Make an installation: its document, and a key of its own (platform §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.model.apikey import KeyKind
from shared.model.instance import Environment, ProcessInstance, Sharing
from shared.services.deployments.work import Tenant
from shared.services.organizations.mint import mint_key
from shared.services.platform import Platform
from shared.services.secrets import instance_key, seal_text
from shared.store import refs
from shared.store.store import Create, Write


@dataclass(frozen=True, slots=True)
class Place:
    """Where a version is deployed to."""

    instance_id: str
    process_id: str
    project_id: str
    owner_id: str
    environment: Environment


async def new_installation(
    platform: Platform, place: Place, tenant: Tenant, version: str, now: datetime, fields: Mapping[str, Any]
) -> tuple[ProcessInstance, list[Write]]:
    """Return an installation that is not active yet, and what creates it with its key.

    ``fields`` are those that its first deployment decides; who may use it is told by its sharing.
    """
    minted = mint_key(
        platform,
        KeyKind.INSTANCE,
        user_id=place.owner_id,
        name=f"{fields['title']} ({place.environment.value})"[:100],
        organization_id=tenant.organization_id,
        organization_name=tenant.organization.name,
        process_instance_id=place.instance_id,
    )
    context = instance_key(tenant.organization_id, place.instance_id)
    instance = ProcessInstance(
        user_id=place.owner_id,
        organization_id=tenant.organization_id,
        process_id=place.process_id,
        project_id=place.project_id,
        environment=place.environment,
        current_version=version,
        instance_key=await seal_text(platform, minted.raw, context),
        installed_at=now,
        **fields,
    )
    instance.visible_to = instance.audience
    return instance, [Create(refs.instance(place.instance_id), instance), minted.record]


def shared(sharing: Sharing) -> dict[str, object]:
    """Return the fields by which an installation and its endpoints say who may use it."""
    return {
        "shared_with": sharing.shared_with,
        "shared_with_user_ids": sharing.shared_with_user_ids,
    }
