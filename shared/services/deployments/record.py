"""Write a planned deploy: blobs first, then everything that names them in one commit."""

from __future__ import annotations

import orjson

from shared.errors import Conflict, InvalidVersion, PlatformError
from shared.model.apikey import ApiKey, KeyKind
from shared.model.audit import AuditAction
from shared.model.deployment import DeploymentInstance, DeploymentStatus, Lease
from shared.model.instance import Environment, InactiveReason, ProcessInstance
from shared.model.project import Process, ProcessType, ProjectStatus
from shared.model.template import StoredFile, Template, VersionClaim
from shared.services.audit import audited
from shared.services.deployments.lease import HeldLease, new_lease
from shared.services.deployments.lock import locking
from shared.services.deployments.plan import Plan, storage_path
from shared.services.deployments.work import Work, live_deployment
from shared.services.organizations.mint import mint_key
from shared.services.platform import Platform
from shared.services.secrets import instance_key, seal_text
from shared.store import refs
from shared.store.blobs import address
from shared.store.errors import AlreadyExists, Changed, StoreConflict
from shared.store.store import Create, Found, Patch, Write
from shared.validation.documents import CheckedDocument
from shared.validation.parameters import effective_parameters
from shared.versions import Version


async def record(platform: Platform, plan: Plan) -> tuple[HeldLease, Work]:
    """Make the version and its pending deployment visible; return the lease on it and its work.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``): another deploy of the project was recorded meanwhile.
        InvalidVersion: the version exists.
    """
    template = await _stored_template(platform, plan)
    before = await platform.store.get(refs.instance(plan.instance_id)) if plan.process else None
    instance, instance_writes = await _instance(platform, plan, before)
    lease = new_lease(platform, platform.sources.uuid7())
    deployment = _deployment(plan, instance, template, lease)
    if before is not None:
        deployment.previous_id = before.value.current_deployment_instance_id
    reference = refs.deployment(plan.deployment_id)
    writes: list[Write] = [
        Create(reference, deployment),
        Create(refs.template(plan.template_id), template),
        Create(refs.version_claim(plan.process_id, str(plan.version)), _claim(plan)),
        _project_patch(plan),
        _process_write(plan),
        *instance_writes,
        _audit(platform, plan),
    ]
    if (stuck := await _stuck(platform, plan)) is not None:
        unsettled = {"unsettled_deployment_instance_id": plan.project.value.deploying}
        instance = instance.model_copy(update=unsettled)
        writes += [_superseding(plan, stuck), Patch(refs.instance(plan.instance_id), unsettled)]
    try:
        version, *_ = await platform.store.commit(*writes)
    except (AlreadyExists, Changed) as error:
        raise await _refusal(platform, plan, error) from None
    work = Work(
        deployment_id=plan.deployment_id,
        deployment=deployment,
        instance=instance,
        tenant=plan.tenant,
        configuration=plan.configuration,
        texts=plan.texts,
        replaces=await live_deployment(platform, instance),
    )
    return HeldLease(platform, reference, lease, version), work


async def _refusal(platform: Platform, plan: Plan, error: StoreConflict) -> PlatformError:
    project = await platform.store.get(plan.project.ref)
    # Of two deploys at once both want the next version: the one that comes late is told of the other.
    if isinstance(error, AlreadyExists) and project and project.update_time == plan.project.update_time:
        return InvalidVersion(f"Version {plan.version} exists already. Versions are immutable.")
    return Conflict(
        "Another deployment of this project started at the same time. Wait until it has ended.",
        code="DEPLOYMENT_IN_PROGRESS",
    )


async def _stuck(platform: Platform, plan: Plan) -> Found[DeploymentInstance] | None:
    """Return the deployment that held the project for too long, if there is one."""
    holder = plan.project.value.deploying
    found = await platform.store.get(refs.deployment(holder)) if holder else None
    return None if found is None or found.value.deployment_status.is_terminal else found


def _superseding(plan: Plan, stuck: Found[DeploymentInstance]) -> Write:
    """Return what ends a deployment and lets its worker, if it lives, write no more."""
    ended = {
        "deployment_status": DeploymentStatus.FAILED,
        "error": "The deployment took too long, and a newer one took its place.",
        "error_code": "DEPLOYMENT_SUPERSEDED",
        "completed_at": plan.now,
        "lease": None,
    }
    return Patch(stuck.ref, ended)


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


async def _instance(
    platform: Platform, plan: Plan, found: Found[ProcessInstance] | None
) -> tuple[ProcessInstance, list[Write]]:
    reference = refs.instance(plan.instance_id)
    parameters = effective_parameters(
        plan.configuration.deployment_input_schema,
        plan.configuration.default_deployment_parameters,
        found.value.deployment_parameters if found else {},
    )
    if found is not None:
        changes = {
            "current_deployment_instance_id": plan.deployment_id,
            "deployment_parameters": {**found.value.deployment_parameters, **parameters},
            "title": plan.configuration.title,
        }
        return found.value.model_copy(update=changes), [Patch(reference, changes)]
    return await _first_instance(platform, plan, parameters)


async def _first_instance(
    platform: Platform, plan: Plan, parameters: dict[str, object]
) -> tuple[ProcessInstance, list[Write]]:
    organization_id = plan.project.value.organization_id
    minted = mint_key(
        platform,
        KeyKind.INSTANCE,
        user_id=plan.owner_id,
        name=f"{plan.configuration.title} (dev)"[:100],
        organization_id=organization_id,
        organization_name=plan.tenant.organization.name,
        process_instance_id=plan.instance_id,
    )
    sealed = await seal_text(platform, minted.raw, instance_key(organization_id, plan.instance_id))
    instance = ProcessInstance(
        user_id=plan.owner_id,
        organization_id=organization_id,
        process_id=plan.process_id,
        project_id=plan.project_id,
        environment=Environment.DEV,
        visible_to=[plan.owner_id],
        title=plan.configuration.title,
        is_active=False,
        inactive_reason=InactiveReason.DEPLOY_FAILED,
        current_version=str(plan.version),
        current_deployment_instance_id=plan.deployment_id,
        deployment_parameters=parameters,
        instance_key=sealed,
        installed_at=plan.now,
    )
    key: Create[ApiKey] = minted.record
    return instance, [Create(refs.instance(plan.instance_id), instance), key]


def _deployment(
    plan: Plan, instance: ProcessInstance, template: Template, lease: Lease
) -> DeploymentInstance:
    return DeploymentInstance(
        organization_id=instance.organization_id,
        process_instance_id=plan.instance_id,
        process_id=plan.process_id,
        project_id=plan.project_id,
        template_id=plan.template_id,
        version=str(plan.version),
        deployment_status=DeploymentStatus.DEPLOYING,
        skills_blob=template.skills_blob,
        lease=lease,
        attempts=1,
        created_at=plan.now,
    )


def _audit(platform: Platform, plan: Plan) -> Write:
    organization_id, version = plan.project.value.organization_id, str(plan.version)
    deployed = AuditAction.USE_CASE_DEPLOYED
    return audited(platform, plan.key, deployed, organization_id, plan.project_id, version=version)


def _claim(plan: Plan) -> VersionClaim:
    return VersionClaim(organization_id=plan.project.value.organization_id, template_id=plan.template_id)


def _project_patch(plan: Plan) -> Write:
    changes: dict[str, object] = {"status": ProjectStatus.IN_PROGRESS, "process_id": plan.process_id}
    if _is_latest(plan):
        changes["latest_template_id"] = plan.template_id
    return locking(plan.project, plan.deployment_id, plan.now, **changes)


def _process_write(plan: Plan) -> Write:
    configuration = plan.configuration
    listing: dict[str, object] = {
        "title": configuration.title,
        "subtitle": configuration.subtitle,
        "description": configuration.description,
        "icon": configuration.icon,
        "tags": configuration.tags,
    }
    reference = refs.process(plan.process_id)
    if plan.process is not None:
        latest = {"latest_version": str(plan.version), "latest_template_id": plan.template_id}
        return Patch(reference, {**listing, **(latest if _is_latest(plan) else {})})
    process = Process(
        organization_id=plan.project.value.organization_id,
        project_id=plan.project_id,
        owner_id=plan.owner_id,
        process_type=ProcessType(configuration.process_type),
        latest_version=str(plan.version),
        latest_template_id=plan.template_id,
        dev_instance_id=plan.instance_id,
        created_at=plan.now,
        title=configuration.title,
        subtitle=configuration.subtitle,
        description=configuration.description,
        icon=configuration.icon,
        tags=configuration.tags,
    )
    if plan.shell is not None:
        # What the data ingestion keeps in the process stays as it is.
        filled = process.model_fields_set - {"created_at"}
        return Patch(reference, {name: getattr(process, name) for name in filled})
    return Create(reference, process)


def _is_latest(plan: Plan) -> bool:
    """Return whether this is the highest version so far: an explicit lower one is not the latest."""
    latest = plan.process.value.latest_version if plan.process else None
    return latest is None or plan.version > Version.parse(latest)
