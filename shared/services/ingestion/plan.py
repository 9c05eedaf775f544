"""Check the deploy of a data ingestion and decide what it will create, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.ensemble import decode
from shared.errors import Conflict, InvalidVersion, NotFound
from shared.model.apikey import ApiKey, KeyKind
from shared.model.configuration import DataIngestion as Config
from shared.model.ingestion import DataIngestion, WebhookUrls
from shared.model.project import Process, Project
from shared.services.access import accessible_project
from shared.services.deployments.rules import refuse_broken_rules
from shared.services.deployments.work import Tenant, load_tenant
from shared.services.ingestion.bodies import check
from shared.services.ingestion.lock import is_locked
from shared.services.ingestion.values import values_of
from shared.services.platform import Platform
from shared.store import refs
from shared.store.blobs import address
from shared.store.store import Found
from shared.validation.configuration import validate_data_ingestion
from shared.versions import Strategy, Version, next_version


class InProgress(Conflict):
    """Another deploy of the process's data ingestion goes on."""

    default_code = "DEPLOYMENT_IN_PROGRESS"

    def __init__(self) -> None:
        super().__init__("A data ingestion of this process is being deployed. Wait until that has ended.")


@dataclass(frozen=True, slots=True)
class Submission:
    """A deploy as it was sent; nothing of it is checked yet. ``target_id``: of a project or a process."""

    target_id: str
    config: object = field(repr=False)
    strategy: str
    explicit_version: object


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked deploy. ``process`` is None when the project has none yet.

    ``ingestion`` is the record to create; it holds no lease yet.
    """

    key: ApiKey
    project: Found[Project]
    process: Found[Process] | None
    ingestion: DataIngestion
    text: str = field(repr=False)
    tenant: Tenant = field(repr=False)


async def plan_ingestion(platform: Platform, key: ApiKey, sent: Submission) -> Plan:
    """Return the plan of a deploy.

    Raises: see :func:`shared.services.ingestion.deploy.deploy_ingestion`.
    """
    project, process = await _target(platform, key, sent.target_id)
    config = validate_data_ingestion(sent.config)
    if process is not None and is_locked(process.value, platform.sources.now()):
        raise InProgress
    version = _version(sent, process)
    owner = process.value.owner_id if process else _owner(key, project.value)
    tenant = await load_tenant(platform, project.value.organization_id, owner)
    text = decode(config)
    await refuse_broken_rules({config.workflow_template_id: text})
    ingestion = _ingestion(platform, key, project, process, config, text, version, owner)
    values = await values_of(platform, ingestion, text, tenant)
    urls = check(ingestion, config, text, values, tenant)
    ingestion = ingestion.model_copy(update={"webhook_urls": urls})
    return Plan(key=key, project=project, process=process, ingestion=ingestion, text=text, tenant=tenant)


async def _target(
    platform: Platform, key: ApiKey, target_id: str
) -> tuple[Found[Project], Found[Process] | None]:
    """Return the project and its process, whichever of them is named (api §5.12)."""
    store = platform.store
    project, process = await store.fetch(refs.project(target_id), refs.process(target_id))
    if project is None and process is not None:
        project = await store.get(refs.project(process.value.project_id))
    if project is None:
        raise NotFound(f"Project or process {target_id} not found.", code="PROJECT_NOT_FOUND")
    accessible = await accessible_project(platform, key, target_id, project)
    if process is None and accessible.value.process_id is not None:
        process = await store.get(refs.process(accessible.value.process_id))
    return accessible, process


def _version(sent: Submission, process: Found[Process] | None) -> Version:
    latest = process.value.latest_ingestion_version if process else None
    if sent.explicit_version is not None and not isinstance(sent.explicit_version, str):
        raise InvalidVersion("explicitVersion must be a text like 1.4.", field="explicitVersion")
    # Only the highest is known here; that an explicit one is unused is decided by creating its claim.
    known = [Version.parse(latest)] if latest else []
    return next_version(Strategy.parse(sent.strategy), sent.explicit_version, known)


def _owner(key: ApiKey, project: Project) -> str:
    # An administrator is no member of the organization.
    return project.created_by if key.kind is KeyKind.ADMIN else key.user_id


def _ingestion(
    platform: Platform,
    key: ApiKey,
    project: Found[Project],
    process: Found[Process] | None,
    config: Config,
    text: str,
    version: Version,
    owner: str,
) -> DataIngestion:
    active = process.value.active_data_ingestion if process else None
    return DataIngestion(
        data_ingestion_id=platform.sources.auto_id(),
        organization_id=project.value.organization_id,
        project_id=project.ref.path.rpartition("/")[2],
        process_id=project.value.process_id or platform.sources.auto_id(),
        user_id=owner,
        version=str(version),
        title=process.value.title if process else project.value.name,
        workflow_template_id=config.workflow_template_id,
        workflow_name=config.workflow_name,
        purpose=config.purpose,
        markdown_info=config.markdown_info,
        cost=float(config.cost or 0),
        workflow_blob=address(text.encode()),
        webhook_urls=WebhookUrls(embed="", delete=""),
        replaces_id=active.data_ingestion_id if active else None,
        created_by=key.user_id,
        created_at=platform.sources.now(),
    )
