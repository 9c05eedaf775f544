"""Check a deploy and decide what it will create, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import orjson

from shared.ensemble import decode
from shared.errors import InvalidRequest, InvalidVersion
from shared.model.apikey import ApiKey, KeyKind
from shared.model.configuration import Configuration, Skill
from shared.model.project import Process, Project
from shared.services.access import accessible_project
from shared.services.deployments.lock import in_progress, is_locked
from shared.services.deployments.rules import refuse_broken_rules
from shared.services.deployments.work import Tenant, load_tenant
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found
from shared.validation.configuration import validate_configuration
from shared.validation.documents import CheckedDocument, check_documents
from shared.validation.skills import validate_skills
from shared.versions import Strategy, Version, next_version


@dataclass(frozen=True, slots=True)
class Submission:
    """A deploy as it was sent; nothing of it is checked yet."""

    project_id: str
    configuration: object = field(repr=False)
    strategy: str
    explicit_version: object
    documents: object = field(repr=False)
    skills: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked deploy: new ids, the version, and what it builds on.

    ``process`` is None on the first, even if a data ingestion made the ``shell`` of the process before.
    """

    now: datetime
    project_id: str
    project: Found[Project]
    process: Found[Process] | None
    shell: Found[Process] | None
    process_id: str
    instance_id: str
    owner_id: str
    template_id: str
    deployment_id: str
    version: Version
    key: ApiKey
    configuration: Configuration
    raw_configuration: bytes = field(repr=False)
    texts: dict[str, str] = field(repr=False)
    documents: list[CheckedDocument] = field(repr=False)
    skills: list[Skill] = field(repr=False)
    tenant: Tenant = field(repr=False)


async def plan_deployment(platform: Platform, key: ApiKey, sent: Submission) -> Plan:
    """Return the plan of a deploy.

    Raises: see :func:`shared.services.deployments.deploy.deploy`.
    """
    now = platform.sources.now()
    project = await _project(platform, key, sent.project_id, now)
    checked = validate_configuration(sent.configuration)
    checked_skills = validate_skills(sent.skills, [w.workflow_template_id for w in checked.workflows])
    texts = {w.workflow_template_id: decode(w, index) for index, w in enumerate(checked.workflows)}
    await refuse_broken_rules(texts)
    known = await _process(platform, project.value)
    process, shell = (None, known) if known and known.value.is_shell else (known, None)
    latest_version = known.value.latest_version if known else None
    latest = Version.parse(latest_version) if latest_version else None
    version = _version(sent.strategy, sent.explicit_version, latest)
    owner_id = process.value.owner_id if process else _owner(key, project.value)
    tenant = await load_tenant(platform, project.value.organization_id, owner_id)
    template_id = platform.sources.auto_id()
    return Plan(
        now=now,
        project_id=sent.project_id,
        project=project,
        process=process,
        shell=shell,
        process_id=project.value.process_id or platform.sources.auto_id(),
        instance_id=known.value.dev_instance_id if known else platform.sources.uuid7(),
        owner_id=owner_id,
        template_id=template_id,
        deployment_id=platform.sources.auto_id(),
        version=version,
        key=key,
        configuration=checked,
        raw_configuration=storable(sent.configuration),
        texts=texts,
        documents=check_documents(sent.documents),
        skills=checked_skills,
        tenant=tenant,
    )


async def _project(platform: Platform, key: ApiKey, project_id: str, now: datetime) -> Found[Project]:
    found = await accessible_project(platform, key, project_id)
    if is_locked(found.value, now):
        raise in_progress("project")
    return found


async def _process(platform: Platform, project: Project) -> Found[Process] | None:
    if project.process_id is None:
        return None
    return await platform.store.get(refs.process(project.process_id))


def _version(strategy: str, explicit: object, latest: Version | None) -> Version:
    if explicit is not None and not isinstance(explicit, str):
        raise InvalidVersion("explicitVersion must be a text like 1.4.", field="explicitVersion")
    # Only the highest is known here; that an explicit one is unused is decided by creating its claim.
    return next_version(Strategy.parse(strategy), explicit, [latest] if latest else [])


def _owner(key: ApiKey, project: Project) -> str:
    # An administrator is no member of the organization; the installation must belong to one.
    return project.created_by if key.kind is KeyKind.ADMIN else key.user_id


def storable(configuration: object) -> bytes:
    """Return the configuration as sent, without what is stored elsewhere or nowhere.

    Workflow files are blobs of their own; legacy trigger tokens are secrets and are dropped.
    """
    if not isinstance(configuration, dict):
        raise InvalidRequest("configuration must be an object.", field="configuration")
    workflows = [_stripped(w) for w in configuration.get("workflows", [])]
    return orjson.dumps({**configuration, "workflows": workflows}, option=orjson.OPT_SORT_KEYS)


def _stripped(workflow: dict[str, object]) -> dict[str, object]:
    triggers = workflow.get("triggers")
    kept = [
        {name: value for name, value in trigger.items() if name != "authToken"}
        for trigger in (triggers if isinstance(triggers, list) else [])
    ]
    return {**workflow, "triggers": kept, "n8nWorkflowJsonBase64": "stored as a file"}


def storage_path(template_id: str, document: CheckedDocument) -> str:
    """Return where a source file of a version is said to be; empty when it was refused."""
    return f"templates/{template_id}/{document.storage_name}" if document.error is None else ""
