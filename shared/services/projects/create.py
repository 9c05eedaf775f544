"""Create a project (api §5.5)."""

from __future__ import annotations

from shared.errors import InvalidRequest
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.project import Project
from shared.services.access import chosen_organization
from shared.services.audit import audited
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
    organization, _ = await chosen_organization(platform, key, organization_id, must_name=True)
    project_id = platform.sources.auto_id()
    project = Project(
        organization_id=organization,
        name=name,
        description=description,
        created_by=key.user_id,
        created_at=platform.sources.now(),
        template_id=template_id,
    )
    await platform.store.commit(
        Create(refs.project(project_id), project),
        audited(platform, key, AuditAction.PROJECT_CREATED, organization, project_id, name=name),
    )
    return project_id
