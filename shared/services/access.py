"""Who may use which organization, project and installation (api §3.3, platform §5).

Order: organization, then role, then sharing.
"""

from __future__ import annotations

import hmac

from shared.errors import Forbidden, InvalidRequest, NotFound
from shared.model.apikey import ApiKey, KeyKind
from shared.model.instance import ProcessInstance, Sharing
from shared.model.organization import Role
from shared.model.project import Project
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found


def _refusal() -> Forbidden:
    return Forbidden("This API key has no access to this process instance.")


async def require_instance_access(
    platform: Platform, key: ApiKey, organization_id: str, process_instance_id: str, sharing: Sharing
) -> None:
    """Check that the caller may use an installation.

    Costs a read for personal keys alone: the role of their owner is not on the key.

    Raises:
        Forbidden: another organization, another instance's key, or not shared with the caller.
    """
    if key.kind is KeyKind.ADMIN:
        return
    if key.kind is KeyKind.INSTANCE:
        own = key.process_instance_id or ""
        if not hmac.compare_digest(own.encode(), process_instance_id.encode()):
            raise _refusal()
        return
    role = await role_in(platform, key, organization_id)
    if role is None or not (role.manages or sharing.admits(key.user_id)):
        raise _refusal()


async def accessible_instance(
    platform: Platform, key: ApiKey, process_instance_id: str, found: Found[ProcessInstance] | None = None
) -> Found[ProcessInstance]:
    """Return an installation the caller may use; pass it when it was read already.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``): there is none with that id.
        Forbidden: as in :func:`require_instance_access`.
    """
    found = found or await platform.store.get(refs.instance(process_instance_id))
    if found is None:
        raise NotFound(f"Process instance {process_instance_id} not found.", code="INSTANCE_NOT_FOUND")
    instance = found.value
    await require_instance_access(platform, key, instance.organization_id, process_instance_id, instance)
    return found


async def accessible_project(
    platform: Platform, key: ApiKey, project_id: str, found: Found[Project] | None = None
) -> Found[Project]:
    """Return a project the caller may use: as a manager of its organization, or as its creator.

    Raises:
        NotFound (``PROJECT_NOT_FOUND``): there is none with that id.
        Forbidden: another organization's, or a plain member who did not create it.
    """
    found = found or await platform.store.get(refs.project(project_id))
    if found is None:
        raise NotFound(f"Project {project_id} not found.", code="PROJECT_NOT_FOUND")
    project = found.value
    if key.kind is not KeyKind.ADMIN:
        role = await role_in(platform, key, project.organization_id)
        if role is None or not (role.manages or project.created_by == key.user_id):
            raise Forbidden("Permission denied: this API key has no access to this project.")
    return found


async def role_in(platform: Platform, key: ApiKey, organization_id: str) -> Role | None:
    """Return the role of the key's owner in an organization; ``None`` when the key has no part in it."""
    if key.kind is KeyKind.ORGANIZATION:
        return key.role if key.organization_id == organization_id else None
    member = await platform.store.get(refs.member(organization_id, key.user_id))
    return member.value.role if member else None


async def chosen_organization(
    platform: Platform, key: ApiKey, wanted: str | None, *, must_name: bool = False
) -> tuple[str, Role | None]:
    """Return the organization a request is about, and the caller's role there (api §3.4).

    An organization key has one. Any other kind names it, or belongs to a user who has only one, unless it
    ``must_name`` it. The role of an administrator, whom no role limits, is ``None``.

    Raises:
        Forbidden: the organization is not the caller's.
        NotFound (``ORGANIZATION_NOT_FOUND``): there is none with that id.
        InvalidRequest (``ORGANIZATION_ID_REQUIRED``): it has to be named.
    """
    if key.kind is KeyKind.ORGANIZATION and key.organization_id:
        if wanted not in (None, "", key.organization_id):
            raise Forbidden("This API key belongs to another organization.")
        return key.organization_id, key.role
    organization_id = wanted or (None if must_name else await _only_organization(platform, key))
    if not organization_id:
        raise InvalidRequest(
            "organizationId is required with this kind of key.",
            code="ORGANIZATION_ID_REQUIRED",
            field="organizationId",
        )
    return organization_id, await _role_of_anybody(platform, key, organization_id)


async def _role_of_anybody(platform: Platform, key: ApiKey, organization_id: str) -> Role | None:
    organization, member = await platform.store.fetch(
        refs.organization(organization_id), refs.member(organization_id, key.user_id)
    )
    if organization is None:
        raise NotFound(f"Organization {organization_id} not found.", code="ORGANIZATION_NOT_FOUND")
    if key.kind is KeyKind.ADMIN:
        return None
    if member is None:
        raise Forbidden("You are not a member of this organization.")
    role: Role = member.value.role
    return role


async def _only_organization(platform: Platform, key: ApiKey) -> str | None:
    user = await platform.store.get(refs.user(key.user_id)) if key.kind is KeyKind.PERSONAL else None
    ids = user.value.organization_ids if user else []
    return ids[0] if len(ids) == 1 else None
