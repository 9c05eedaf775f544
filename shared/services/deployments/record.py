"""Write a planned deploy: blobs first, then everything that names them in one commit."""

from __future__ import annotations

import orjson

from shared.errors import InvalidVersion
from shared.model.audit import AuditAction
from shared.model.configuration import Configuration
from shared.model.deployment import Purpose
from shared.model.instance import Environment
from shared.model.project import Process, ProcessType, ProjectStatus
from shared.model.template import StoredFile, Template, VersionClaim
from shared.model.transitions import reached
from shared.services.audit import audited
from shared.services.deployments import begin
from shared.services.deployments.installation import Place
from shared.services.deployments.lease import HeldLease
from shared.services.deployments.lock import in_progress, locking
from shared.services.deployments.plan import Plan, storage_path
from shared.services.deployments.work import Work
from shared.services.platform import Platform
from shared.store import refs
from shared.store.blobs import address
from shared.store.errors import AlreadyExists, Changed
from shared.store.store import Create, Patch, Write
from shared.validation.documents import CheckedDocument
from shared.versions import Version


async def record(platform: Platform, plan: Plan) -> tuple[HeldLease, Work]:
    """Make the version and its pending deployment visible; return the lease on it and its work.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``): another deploy of the project was recorded meanwhile.
        InvalidVersion: the version exists.
    """
    template = await _stored_template(platform, plan)
    version = begin.Version(plan.template_id, template, plan.configuration, plan.texts)
    order = _order(plan, version)
    while True:
        found = await platform.store.get(refs.instance(plan.instance_id)) if plan.process else None
        beginning = await begin.begin(platform, order, found, plan.project.value)
        try:
            at, *_ = await platform.store.commit(*beginning.writes, *_writes(platform, plan, template))
        except (AlreadyExists, Changed) as error:
            project = await platform.store.get(plan.project.ref)
            if project is None or project.update_time != plan.project.update_time:
                raise in_progress("project") from None
            # Of two deploys at once both want the next version: the one that comes late is told of the other.
            if isinstance(error, AlreadyExists):
                raise InvalidVersion(
                    f"Version {plan.version} exists already. Versions are immutable."
                ) from None
            continue  # Only the installation was written to, and not by a deployment.
        return beginning.held(platform, at), beginning.work


def _order(plan: Plan, version: begin.Version) -> begin.Order:
    place = Place(plan.instance_id, plan.process_id, plan.project_id, plan.owner_id, Environment.DEV)
    process = plan.process.value if plan.process else None
    return begin.Order(
        deployment_id=plan.deployment_id,
        purpose=Purpose.DEPLOY,
        version=version,
        place=place,
        tenant=plan.tenant,
        started_by=plan.key.user_id,
        now=plan.now,
        pauses=process.sibling_to_pause(plan.instance_id) if process else None,
    )


def _writes(platform: Platform, plan: Plan, template: Template) -> list[Write]:
    return [
        Create(refs.template(plan.template_id), template),
        Create(refs.version_claim(plan.process_id, str(plan.version)), _claim(plan)),
        _project_patch(plan),
        _process_write(plan),
        _audit(platform, plan),
    ]


async def _stored_template(platform: Platform, plan: Plan) -> Template:
    organization_id = plan.project.value.organization_id
    texts = {name: text.encode() for name, text in plan.texts.items()}
    kept = [document for document in plan.documents if document.error is None]
    skills = orjson.dumps([s.model_dump(mode="json", by_alias=True) for s in plan.skills])
    contents = [plan.raw_configuration, skills, *texts.values(), *(d.content for d in kept)]
    await platform.blobs.put(organization_id, contents)
    return Template(
        organization_id=organization_id,
        project_id=plan.project_id,
        process_id=plan.process_id,
        version=str(plan.version),
        title=plan.configuration.title,
        release_notes=plan.configuration.release_notes,
        configuration_blob=address(plan.raw_configuration),
        workflow_blobs={name: address(text) for name, text in texts.items()},
        files=[_file(plan.template_id, document) for document in kept],
        skills_blob=address(skills),
        created_by=plan.key.user_id,
        created_at=plan.now,
    )


def _file(template_id: str, document: CheckedDocument) -> StoredFile:
    return StoredFile(
        relative_path=document.relative_path,
        storage_path=storage_path(template_id, document),
        content_type=document.content_type,
        size_bytes=len(document.content),
        blob=address(document.content),
        description=document.description,
    )


def _audit(platform: Platform, plan: Plan) -> Write:
    organization_id, version = plan.project.value.organization_id, str(plan.version)
    deployed = AuditAction.USE_CASE_DEPLOYED
    return audited(platform, plan.key, deployed, organization_id, plan.project_id, version=version)


def _claim(plan: Plan) -> VersionClaim:
    return VersionClaim(organization_id=plan.project.value.organization_id, template_id=plan.template_id)


def _project_patch(plan: Plan) -> Write:
    status = reached(plan.project.value.status, ProjectStatus.IN_PROGRESS)
    changes: dict[str, object] = {"status": status, "process_id": plan.process_id}
    if _is_latest(plan):
        changes["latest_template_id"] = plan.template_id
    return locking(plan.project, plan.deployment_id, plan.now, **changes)


def _process_write(plan: Plan) -> Write:
    configuration = plan.configuration
    reference = refs.process(plan.process_id)
    if plan.process is not None:
        latest = {"latest_version": str(plan.version), "latest_template_id": plan.template_id}
        # What others see changes when a version is published, once one was.
        seen = listing(configuration) if plan.process.value.published_template_id is None else {}
        return Patch(reference, {**seen, **(latest if _is_latest(plan) else {})})
    process = Process(
        organization_id=plan.project.value.organization_id,
        project_id=plan.project_id,
        owner_id=plan.owner_id,
        latest_version=str(plan.version),
        latest_template_id=plan.template_id,
        dev_instance_id=plan.instance_id,
        created_at=plan.now,
        title=configuration.title,
    ).model_copy(update=listing(configuration))
    if plan.shell is not None:
        # What the data ingestion keeps in the process stays as it is.
        filled = (process.model_fields_set | listing(configuration).keys()) - {"created_at"}
        return Patch(reference, {name: getattr(process, name) for name in filled})
    return Create(reference, process)


def listing(configuration: Configuration) -> dict[str, object]:
    """Return the fields of a process that tell others what it is."""
    return {
        "title": configuration.title,
        "subtitle": configuration.subtitle,
        "description": configuration.description,
        "icon": configuration.icon,
        "tags": configuration.tags,
        "process_type": ProcessType(configuration.process_type),
    }


def _is_latest(plan: Plan) -> bool:
    """Return whether this is the highest version so far: an explicit lower one is not the latest."""
    latest = plan.process.value.latest_version if plan.process else None
    return latest is None or plan.version > Version.parse(latest)
