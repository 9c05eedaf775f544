"""Check a publication and decide what it will change, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from shared.errors import Internal, InvalidRequest, NotFound
from shared.model.apikey import ApiKey, KeyKind
from shared.model.instance import ProcessInstance, Sharing
from shared.model.project import Process, ProcessType, Project, Visibility
from shared.model.template import Template, TemplateStatus
from shared.model.transitions import may_become
from shared.services.access import accessible_project
from shared.services.deployments.begin import Version
from shared.services.deployments.lock import in_progress, is_locked
from shared.services.deployments.work import Tenant, load_template, load_tenant
from shared.services.platform import Platform
from shared.services.publishing.audience import Audience, sharing_of, visibility_of
from shared.services.publishing.people import require_members, require_named
from shared.store import refs
from shared.store.store import Found


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication as it was asked for. ``user_id`` is whom an administrator acts for."""

    project_id: str
    template_id: str
    audience: Audience
    auto_toggle: bool
    skip_production: bool
    user_id: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked publication. ``production`` is the owner's installation, ``None`` before there is one.

    ``visibility`` is set on the first publication alone, ``version`` and ``sharing`` when production follows.
    """

    now: datetime
    key: ApiKey
    actor: str
    asked: Publication
    project: Found[Project]
    process: Found[Process]
    template: Found[Template]
    published: Found[Template] | None
    visibility: Visibility | None
    production: Found[ProcessInstance] | None
    sharing: Sharing
    version: Version = field(repr=False)
    tenant: Tenant = field(repr=False)


async def plan_publication(platform: Platform, key: ApiKey, asked: Publication) -> Plan:
    """Return the plan of a publication.

    Raises: see :func:`shared.services.publishing.publish.publish`.
    """
    now = platform.sources.now()
    project, template = await platform.store.fetch(
        refs.project(asked.project_id), refs.template(asked.template_id)
    )
    project = await accessible_project(platform, key, asked.project_id, project)
    actor = await _actor(platform, key, project.value, asked.user_id)
    if template is None or template.value.project_id != asked.project_id:
        raise NotFound(f"Deployment {asked.template_id} not found.", code="TEMPLATE_NOT_FOUND")
    if is_locked(project.value, now):
        raise in_progress("project")
    _require_publishable(template.value)
    process = await _process(platform, project.value)
    listing = process.value
    published, production = await _before(platform, listing)
    configuration, texts = await load_template(platform, template.value)
    process_type = ProcessType(configuration.process_type)
    before = production.value if production else None
    sharing = sharing_of(process_type, listing.owner_id, before, asked.audience)
    named = sharing.shared_with_user_ids
    await require_members(platform, listing.organization_id, named, "sharedWithUserIds")
    first = listing.published_template_id is None
    if first:
        await require_named(platform, listing.organization_id, asked.audience)
    return Plan(
        now=now,
        key=key,
        actor=actor,
        asked=asked,
        project=project,
        process=process,
        template=template,
        published=published,
        visibility=visibility_of(process_type, asked.audience) if first else None,
        production=production,
        sharing=sharing,
        version=Version(asked.template_id, template.value, configuration, texts),
        tenant=await load_tenant(platform, listing.organization_id, listing.owner_id),
    )


def _require_publishable(template: Template) -> None:
    if not may_become(template.status, TemplateStatus.PUBLISHED):
        raise InvalidRequest(
            f"Version {template.version} is {template.status} already. A version is published once: "
            "deploy a new one and publish that.",
            code="INVALID_STATUS",
        )


async def _actor(platform: Platform, key: ApiKey, project: Project, user_id: str | None) -> str:
    """Return the user who publishes: the key's own, or whom an administrator names.

    Raises:
        InvalidRequest: another user, and no administrator's key.
        NotFound (``USER_NOT_FOUND``): whom it names is no member of the organization.
    """
    if user_id in (None, "", key.user_id):
        return key.user_id
    if key.kind is not KeyKind.ADMIN:
        reason = "may name another user with an administrator's key alone"
        raise InvalidRequest(f"userId {reason}.", field="userId", reason=reason)
    member = await platform.store.get(refs.member(project.organization_id, user_id or ""))
    if member is None:
        raise NotFound(f"User {user_id} not found in this organization.", code="USER_NOT_FOUND")
    return member.value.user_id


async def _process(platform: Platform, project: Project) -> Found[Process]:
    found = await platform.store.get(refs.process(project.process_id)) if project.process_id else None
    if found is None:
        raise Internal("The project of a version has no process.")
    return found


async def _before(
    platform: Platform, process: Process
) -> tuple[Found[Template] | None, Found[ProcessInstance] | None]:
    """Return what is published now, and the owner's production installation."""
    template_id, instance_id = process.published_template_id, process.prod_instance_id
    published = await platform.store.get(refs.template(template_id)) if template_id else None
    production = await platform.store.get(refs.instance(instance_id)) if instance_id else None
    return published, production
