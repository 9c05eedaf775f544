"""Bring an earlier version back to everybody: publish its content again under a new version (platform §12).

Versions are immutable and published once. The new one names the one it brings back, so a call that is
repeated finds how far the one before came.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import Conflict, InvalidRequest, NotFound
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.project import Process, Project
from shared.model.template import StoredFile, Template, TemplateStatus, VersionClaim
from shared.services.access import accessible_project
from shared.services.audit import audited
from shared.services.deployments.lock import in_progress, is_locked
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.publishing.audience import Audience
from shared.services.publishing.plan import Publication
from shared.services.publishing.publish import Published, publish
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.store import Create, Found, Patch
from shared.versions import Strategy, Version, next_version

_TRIES = 20


@dataclass(frozen=True, slots=True)
class _Case:
    project_id: str
    project: Found[Project]
    process: Found[Process]
    wanted_id: str
    wanted: Template
    published: Template
    latest_id: str
    latest: Template

    @property
    def is_done(self) -> bool:
        """Whether what is published brings that version back already."""
        return self.published.rollback_of == self.wanted_id

    @property
    def is_made(self) -> bool:
        """Whether the new version was recorded, and not published yet."""
        return self.latest.rollback_of == self.wanted_id and self.latest.status is TemplateStatus.INACTIVE


async def roll_back(platform: Platform, key: ApiKey, project_id: str, version: str) -> Published:
    """Publish an earlier version's content as a new one, for production and everybody who follows.

    Raises:
        NotFound: ``PROJECT_NOT_FOUND``, ``VERSION_NOT_FOUND``; Forbidden.
        InvalidRequest: ``NOT_PUBLISHED_BEFORE``; ``ALREADY_PUBLISHED``, it is what is published now.
        Conflict: ``NOT_PUBLISHED``, nothing of the project is; ``DEPLOYMENT_IN_PROGRESS``.
    """
    for _ in range(_TRIES):
        case = await _case(platform, key, project_id, version)
        if case.is_done:
            return _answer(case)
        try:
            template_id = case.latest_id if case.is_made else await _make(platform, key, case)
        except StoreConflict:
            continue
        point("rollback.version_recorded")
        process = case.process.value
        asked = Publication(
            project_id=project_id,
            template_id=template_id,
            audience=Audience(),
            auto_toggle=process.auto_toggle_dev_prod,
            skip_production=process.prod_instance_id is None,
            user_id=None,
        )
        return await publish(platform, key, asked)
    raise in_progress("project")


async def _case(platform: Platform, key: ApiKey, project_id: str, version: str) -> _Case:
    project = await accessible_project(platform, key, project_id)
    process_id = project.value.process_id or "none"
    process, claim = await platform.store.fetch(
        refs.process(process_id), refs.version_claim(process_id, version)
    )
    if process is None or process.value.published_template_id is None:
        raise Conflict("No version of this project is published yet.", code="NOT_PUBLISHED")
    if claim is None:
        raise NotFound(f"Version {version} not found.", code="VERSION_NOT_FOUND")
    wanted_id, latest_id = claim.value.template_id, process.value.latest_template_id
    wanted, published, latest = await platform.store.fetch(
        refs.template(wanted_id),
        refs.template(process.value.published_template_id),
        refs.template(latest_id or wanted_id),
    )
    if wanted is None or published is None or latest is None:
        raise NotFound(f"Version {version} not found.", code="VERSION_NOT_FOUND")
    case = _Case(
        project_id, project, process, wanted_id, wanted.value, published.value, latest_id or "", latest.value
    )
    _require_possible(case, platform)
    return case


def _require_possible(case: _Case, platform: Platform) -> None:
    version, status = case.wanted.version, case.wanted.status
    if status is TemplateStatus.PUBLISHED:
        raise InvalidRequest(
            f"Version {version} is what is published now.", code="ALREADY_PUBLISHED", field="version"
        )
    if status is TemplateStatus.INACTIVE:
        raise InvalidRequest(
            f"Version {version} was never published. Publish it instead.",
            code="NOT_PUBLISHED_BEFORE",
            field="version",
        )
    if not case.is_done and is_locked(case.project.value, platform.sources.now()):
        raise in_progress("project")


async def _make(platform: Platform, key: ApiKey, case: _Case) -> str:
    """Record the new version: documents alone, its content is stored."""
    wanted, template_id = case.wanted, platform.sources.auto_id()
    latest = case.process.value.latest_version
    number = str(next_version(Strategy.MINOR_BUMP, None, [Version.parse(latest)] if latest else []))
    template = wanted.model_copy(
        update={
            "version": number,
            "status": TemplateStatus.INACTIVE,
            "release_notes": f"Rollback to {wanted.version}",
            "rollback_of": case.wanted_id,
            "files": [_kept(file, case.wanted_id, template_id, wanted) for file in wanted.files],
            "created_by": key.user_id,
            "created_at": platform.sources.now(),
        }
    )
    claim = VersionClaim(organization_id=wanted.organization_id, template_id=template_id)
    await platform.store.commit(
        Create(refs.template(template_id), template),
        Create(refs.version_claim(wanted.process_id, number), claim),
        Patch(case.process.ref, {"latest_version": number, "latest_template_id": template_id}),
        Patch(case.project.ref, {"latest_template_id": template_id}, case.project.update_time),
        audited(
            platform,
            key,
            AuditAction.PROCESS_ROLLED_BACK,
            wanted.organization_id,
            template_id,
            project_id=case.project_id,
            version=number,
            to=wanted.version,
        ),
    )
    return template_id


def _kept(file: StoredFile, wanted_id: str, template_id: str, wanted: Template) -> StoredFile:
    path = file.storage_path.replace(wanted_id, template_id)
    uploaded_at = file.uploaded_at or wanted.created_at
    return file.model_copy(update={"storage_path": path, "uploaded_at": uploaded_at})


def _answer(case: _Case) -> Published:
    process = case.process.value
    return Published(
        process_deployment_id=process.published_template_id or "",
        version=case.published.version,
        process_instance_id=process.prod_instance_id,
        rollout_id=process.rollout_id,
    )
