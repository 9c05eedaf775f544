"""Organizations with so many documents behind their lists, written past the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bench.load import each
from bench.session import Session
from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction, AuditEvent
from shared.model.execution import DispatchState, Execution, ExecutionStatus
from shared.model.instance import Environment, ProcessInstance, SharedWith
from shared.model.note import Note, RevisionStatus
from shared.model.organization import Role
from shared.model.project import Project
from shared.model.scopes import ORGANIZATION_SCOPES
from shared.services.organizations.members import add_member
from shared.services.organizations.mint import mint_key
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Create, Write

_BATCH = 500
_AT_ONCE = 2
WORKFLOW = "w7"
NOTE = "changelog"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization, its owner's and a member's key, and how long its lists are."""

    documents: int
    organization_id: str
    project_id: str
    instance_id: str
    owner_id: str
    member_id: str
    owner_key: str = field(repr=False)
    member_key: str = field(repr=False)


async def tenant(session: Session, documents: int) -> Tenant:
    """Return an organization with ``documents`` of every kind that a list shows."""
    platform = session.platform
    made = await _empty(session, documents)
    now = platform.sources.now()
    kinds: tuple[Callable[[int, datetime], Write], ...] = (
        lambda number, at: _project(platform, made, number, at),
        lambda number, at: _instance(platform, made, number, at),
        lambda number, at: _run(platform, made, number, at),
        lambda number, at: _event(platform, made, number, at),
        lambda number, at: _note(made, number, at),
        lambda number, at: _ended_key(platform, made, number, at),
    )
    for kind in kinds:
        await _write(platform, documents, kind, now)
    return made


async def _write(
    platform: Platform, count: int, kind: Callable[[int, datetime], Write], now: datetime
) -> None:
    async def write(numbers: range) -> None:
        await platform.store.commit(
            *(kind(number, now - timedelta(seconds=count - number)) for number in numbers)
        )

    await each([range(n, min(n + _BATCH, count)) for n in range(0, count, _BATCH)], _AT_ONCE, write)


async def _empty(session: Session, documents: int) -> Tenant:
    platform = session.platform
    pattern = await platform.store.get(refs.organization(session.organization_id))
    assert pattern is not None
    organization_id = platform.sources.auto_id()
    owner, member = platform.sources.auto_id(), platform.sources.auto_id()
    changes = {"name": f"With {documents}", "created_by": owner}
    organization = pattern.value.model_copy(update=changes)
    await platform.store.commit(Create(refs.organization(organization_id), organization))
    keys = []
    for user_id, role in ((owner, Role.OWNER), (member, Role.MEMBER)):
        await add_member(platform, organization_id, user_id, role)
        minted = mint_key(
            platform,
            KeyKind.ORGANIZATION,
            user_id=user_id,
            name="bench",
            scopes=ORGANIZATION_SCOPES,
            organization_id=organization_id,
            organization_name=organization.name,
            role=role,
        )
        await platform.store.commit(*minted.records)
        keys.append(minted.raw)
    project_id, instance_id = platform.sources.auto_id(), platform.sources.uuid7()
    made = Tenant(documents, organization_id, project_id, instance_id, owner, member, *keys)
    now = platform.sources.now()
    project, instance = _project(platform, made, 0, now), _instance(platform, made, 0, now)
    await platform.store.commit(
        Create(refs.project(project_id), project.value), Create(refs.instance(instance_id), instance.value)
    )
    return made


def _creator(of: Tenant, number: int) -> str:
    # Half of everything is the member's.
    return of.member_id if number % 2 else of.owner_id


def _project(platform: Platform, of: Tenant, number: int, at: datetime) -> Create[Project]:
    project = Project(
        organization_id=of.organization_id,
        name=f"Project {number}",
        created_by=_creator(of, number),
        created_at=at,
        archived=number % 10 == 9,
    )
    return Create(refs.project(platform.sources.auto_id()), project)


def _instance(platform: Platform, of: Tenant, number: int, at: datetime) -> Create[ProcessInstance]:
    user_id = _creator(of, number)
    instance = ProcessInstance(
        user_id=user_id,
        shared_with=SharedWith.OWNER_ONLY,
        organization_id=of.organization_id,
        process_id="process",
        project_id=of.project_id,
        environment=Environment.PROD if number % 4 == 3 else Environment.DEV,
        visible_to=[user_id],
        title=f"Installation {number}",
        is_active=True,
        inactive_reason=None,
        archived=number % 10 == 9,
        current_version="1.0",
        current_deployment_instance_id="deployment",
        instance_key="sealed",
        installed_at=at,
    )
    return Create(refs.instance(platform.sources.uuid7()), instance)


def _run(platform: Platform, of: Tenant, number: int, at: datetime) -> Create[Execution]:
    execution_id = platform.sources.uuid7()
    failed = number % 50 == 7
    run = Execution(
        execution_id=execution_id,
        organization_id=of.organization_id,
        process_id="process",
        process_instance_id=of.instance_id,
        deployment_instance_id="deployment",
        template_version="1.0",
        environment=Environment.DEV,
        workflow_id=f"w{number % 10}",
        trigger_id="t",
        trigger_type="http",
        n8n_workflow_id="n",
        backend_id="local",
        status=ExecutionStatus.FAILED if failed else ExecutionStatus.SUCCESS,
        dispatch=DispatchState.ACCEPTED,
        created_at=at,
        duration=40,
        user_id=of.owner_id,
        error_details={"type": "node_failure", "message": "No."} if failed else None,
    )
    return Create(refs.execution(of.instance_id, execution_id), run)


def _event(platform: Platform, of: Tenant, number: int, at: datetime) -> Create[AuditEvent]:
    actions = (AuditAction.PROJECT_CREATED, AuditAction.USE_CASE_DEPLOYED, AuditAction.API_KEY_CREATED)
    event = AuditEvent(
        event_id=platform.sources.uuid7(),
        organization_id=of.organization_id,
        action=actions[number % len(actions)],
        actor_user_id=_creator(of, number),
        target="target",
        created_at=at,
    )
    return Create(refs.audit_event(of.organization_id, event.event_id), event)


def _note(of: Tenant, number: int, at: datetime) -> Create[Note]:
    version = f"0.0.{number}"
    last = number == of.documents - 1
    note = Note(
        id=f"note-{number}",
        organization_id=of.organization_id,
        project_id=of.project_id,
        document_type_id=NOTE,
        version=version,
        version_major=0,
        version_minor=0,
        version_patch=number,
        ordinal=number,
        status=RevisionStatus.CURRENT if last else RevisionStatus.SUPERSEDED,
        title="Changelog",
        summary="More",
        content="Something changed.",
        content_length=18,
        word_count=2,
        created_by=of.owner_id,
        created_at=at,
    )
    return Create(refs.note(of.project_id, NOTE, version), note)


def _ended_key(platform: Platform, of: Tenant, number: int, at: datetime) -> Write:
    minted = mint_key(
        platform,
        KeyKind.ORGANIZATION,
        user_id=_creator(of, number),
        name=f"key {number}",
        organization_id=of.organization_id,
        organization_name="bench",
        role=Role.OWNER,
    )
    ended = {"created_at": at, "revoked_at": at, "active_until": at}
    return Create(minted.record.ref, minted.record.value.model_copy(update=ended))
