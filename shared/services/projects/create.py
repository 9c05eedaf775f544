"""Create a project (api §5.5)."""

from __future__ import annotations

from shared.errors import Forbidden, InvalidRequest, NotFound
from shared.model.apikey import ApiKey, KeyKind
from shared.model.project import Project
from shared.services.access import role_in
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Create

TEMPLATES = ("two_stage",)


async def create_project(
    platform: Platform,
    key: ApiKey,
    *,
    name: str,
    description: str,
    template_id: str,
    organization_id: str | None,
) -> str:
    """Create a draft project owned by the key's user; return its id.

    Raises:
        InvalidRequest: unknown template, or no organization named where the key has none.
        Forbidden, NotFound: the organization is another one, or does not exist.
    """
    if template_id not in TEMPLATES:
        raise InvalidRequest(f"Unknown templateId {template_id}. Use one of: {', '.join(TEMPLATES)}.")
    organization = await _organization(platform, key, organization_id)
    project_id = platform.sources.auto_id()
    project = Project(
        organization_id=organization,
        name=name,
        description=description,
        created_by=key.user_id,
        created_at=platform.sources.now(),
        template_id=template_id,
    )
    await platform.store.commit(Create(refs.project(project_id), project))
    return project_id


async def _organization(platform: Platform, key: ApiKey, wanted: str | None) -> str:
    if key.kind is KeyKind.ORGANIZATION and key.organization_id:
        if wanted not in (None, key.organization_id):
            raise Forbidden("This API key belongs to another organization.")
        return key.organization_id
    if not wanted:
        raise InvalidRequest(
            "organizationId is required with this kind of key.", code="ORGANIZATION_ID_REQUIRED"
        )
    if await platform.store.get(refs.organization(wanted)) is None:
        raise NotFound(f"Organization {wanted} not found.", code="ORGANIZATION_NOT_FOUND")
    if key.kind is KeyKind.PERSONAL and await role_in(platform, key, wanted) is None:
        raise Forbidden("You are not a member of this organization.")
    return wanted
