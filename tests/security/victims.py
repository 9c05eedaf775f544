"""A tenant whose every object carries a text that nobody else may ever see."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction
from shared.model.deployment import DeploymentInstance
from shared.model.execution_job import ExecutionJob, JobAction, Selection
from shared.model.instance import SharedWith
from shared.model.listing import Listing
from shared.model.organization import Role
from shared.model.project import Process, ProcessType, Project, ProjectStatus
from shared.model.rollout import Rollout, Target, TargetStatus
from shared.model.template import StoredFile, Template
from shared.services.audit import audited
from shared.services.marketplace.audiences import audiences_of, index_of
from shared.services.organizations.members import add_member
from shared.store import refs
from shared.store.refs import Ref
from shared.store.store import Create, Patch, Put
from tests.integration.world.ensembles import configuration
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import started
from tests.integration.world.tenants import Tenant, create_tenant
from tests.integration.world.world import World


@dataclass(frozen=True, slots=True)
class Victim:
    """One of everything, belonging to the user ``member``; ``canary`` is in every text of it."""

    world: World = field(repr=False)
    tenant: Tenant
    installed: Installation
    ids: Mapping[str, Any]
    canary: str
    documents: tuple[Ref[Any], ...] = field(repr=False)

    def given_away(self, sent: str) -> tuple[str, ...]:
        """The texts that an outsider who sent ``sent`` must not find in an answer."""
        known = (self.canary, self.tenant.name, *self.ids.values())
        texts = [text for text in known if isinstance(text, str) and len(text) > 15 and text not in sent]
        return (*texts, *self.tenant.keys.values(), self.installed.key)

    async def state(self) -> list[datetime | None]:
        """When each document was last written."""
        found = await self.world.platform.store.fetch(*self.documents)
        return [one.update_time if one else None for one in found]


async def new_victim(world: World) -> Victim:
    """Make a tenant with one of everything."""
    platform, canary = world.platform, f"canary-{secrets.token_hex(8)}"
    tenant = await create_tenant(platform, f"org-{canary[::-1]}", world.n8n)
    leaving = platform.sources.auto_id()
    await add_member(platform, tenant.organization_id, leaving, Role.MEMBER)
    installed = await world.install(tenant, owner="member", shared_with=SharedWith.OWNER_ONLY)
    installed.behave(started)
    run = await installed.record_run(
        trigger_data=f'{{"text": "{canary}"}}', result_data=f'"{canary}"', process_id=installed.process_id
    )
    ids = {
        "organizationId": tenant.organization_id,
        "userId": leaving,
        "memberId": leaving,
        "projectId": platform.sources.auto_id(),
        "processId": installed.process_id,
        "processDeploymentId": platform.sources.auto_id(),
        "processInstanceId": installed.id,
        "deploymentInstanceId": platform.sources.auto_id(),
        "executionId": run,
        "rolloutId": platform.sources.auto_id(),
        "jobId": platform.sources.auto_id(),
        "workflowId": "main",
        "documentTypeId": "brd",
        "file": "public.pem",
        "asset": "start.js",
        "keyId": await _key(world, tenant, canary),
        "teamId": await _team(world, tenant),
        "secretId": await _webhook_secret(world, tenant, installed, canary),
        "invitationId": await _invitation(world, tenant, canary),
        "subscriptionId": await _subscription(world, tenant, canary),
    }
    documents = await _documents(world, tenant, installed, ids, canary)
    return Victim(world, tenant, installed, ids, canary, documents)


async def _key(world: World, tenant: Tenant, canary: str) -> str:
    body = {
        "organizationId": tenant.organization_id,
        "name": canary,
        "description": canary,
        "scopes": ["skills:read"],
    }
    made = await world.gateway.post("/createOrganizationApiKeyPublic", tenant.keys["owner"], body)
    assert made.status_code == 200, made.text
    return str(made.json()["data"]["keyId"])


async def _invitation(world: World, tenant: Tenant, canary: str) -> str:
    plan = {"organizationId": tenant.organization_id, "plan": "business", "extraSeats": 50}
    larger = await world.gateway.post("/setOrganizationPlan", tenant.keys_of_none[KeyKind.ADMIN], plan)
    assert larger.status_code == 200, larger.text
    body = {"email": f"{canary}@example.org"}
    made = await world.gateway.post("/createInvitation", tenant.keys["owner"], body)
    assert made.status_code == 200, made.text
    return str(made.json()["data"]["invitationId"])


async def _webhook_secret(world: World, tenant: Tenant, installed: Installation, canary: str) -> str:
    body = {"processInstanceId": installed.id, "workflowId": "main", "label": canary}
    made = await world.gateway.post("/createWebhookSecretPublic", tenant.keys["owner"], body)
    assert made.status_code == 200, made.text
    return str(made.json()["data"]["secretId"])


async def _subscription(world: World, tenant: Tenant, canary: str) -> str:
    body = {"url": f"http://127.0.0.1:9/{canary}", "types": ["credits.low"]}
    made = await world.gateway.post("/createEventSubscription", tenant.keys["owner"], body)
    assert made.status_code == 200, made.text
    return str(made.json()["data"]["subscriptionId"])


async def _team(world: World, tenant: Tenant) -> str:
    # Every member of the organization sees its teams.
    body = {"name": tenant.name, "memberIds": [tenant.users["guest"]]}
    made = await world.gateway.post("/createTeam", tenant.keys["owner"], body)
    assert made.status_code == 200, made.text
    return str(made.json()["data"]["teamId"])


async def _documents(
    world: World, tenant: Tenant, installed: Installation, ids: Mapping[str, str], canary: str
) -> tuple[Ref[Any], ...]:
    platform, now = world.platform, world.platform.sources.now()
    organization, member = tenant.organization_id, tenant.users["member"]
    contents = [canary.encode(), orjson.dumps(configuration(canary))]
    blob, configured = await platform.blobs.put(organization, contents)
    owned: dict[str, Any] = {
        "organization_id": organization,
        "project_id": ids["projectId"],
        "process_id": ids["processId"],
    }
    file = StoredFile(
        relative_path=f"{canary}.md", storage_path=canary, content_type="text/plain", size_bytes=5, blob=blob
    )
    project = Project(
        organization_id=organization,
        name=canary,
        description=canary,
        status=ProjectStatus.IN_PROGRESS,
        created_by=member,
        created_at=now,
        process_id=ids["processId"],
    )
    process = Process(
        organization_id=organization,
        project_id=ids["projectId"],
        owner_id=member,
        title=canary,
        description=canary,
        latest_version="1.0",
        latest_template_id=ids["processDeploymentId"],
        dev_instance_id=installed.id,
        rollout_number=1,
        rollout_id=ids["rolloutId"],
        created_at=now,
    )
    template = Template(
        **owned,
        version="1.0",
        title=canary,
        release_notes=canary,
        configuration_blob=configured,
        workflow_blobs={},
        files=[file],
        created_by=member,
        created_at=now,
    )
    deployment = DeploymentInstance(
        **owned,
        process_instance_id=installed.id,
        template_id=ids["processDeploymentId"],
        version="1.0",
        error=canary,
        created_at=now,
    )
    rollout = Rollout(
        **owned,
        template_id=ids["processDeploymentId"],
        version="1.0",
        number=1,
        started_by=member,
        created_at=now,
    )
    target = Target(
        organization_id=organization,
        process_instance_id=installed.id,
        backend_id=str(world.n8n.port),
        status=TargetStatus.FAILED,
        error=canary,
        error_code="N8N_REFUSED",
    )
    listing = Listing(
        process_id=ids["processId"],
        organization_id=organization,
        organization_name=tenant.name,
        title=canary,
        markdown=canary,
        process_type=ProcessType.PERSONAL,
        template_id=ids["processDeploymentId"],
        version="1.0",
        outline="{}",
        tags=["bookkeeping"],
        audiences=audiences_of(process),
        index=index_of(audiences_of(process), []),
        published_at=now,
    )
    instance = {
        "title": canary,
        "project_id": ids["projectId"],
        "current_deployment_instance_id": ids["deploymentInstanceId"],
        "deployment_parameters": {"TEXT": canary},
    }
    event = audited(platform, member, AuditAction.PROJECT_CREATED, organization, canary, text=canary)
    await platform.store.commit(
        Create(refs.project(ids["projectId"]), project),
        Put(refs.process(ids["processId"]), process),
        Create(refs.template(ids["processDeploymentId"]), template),
        Create(refs.rollout(ids["rolloutId"]), rollout),
        Create(refs.rollout_target(ids["rolloutId"], installed.id), target),
        Create(refs.deployment(ids["deploymentInstanceId"]), deployment),
        Create(refs.listing(ids["processId"]), listing),
        Patch(refs.instance(installed.id), instance),
        event,
    )
    job = ExecutionJob(
        organization_id=organization,
        process_instance_id=installed.id,
        action=JobAction.RETRY,
        selection=Selection(workflow_id=canary),
        total=1,
        created_at=now,
        expire_at=now + timedelta(days=1),
    )
    await platform.store.commit(Create(refs.execution_job(installed.id, ids["jobId"]), job))
    note = {"projectId": ids["projectId"], "documentTypeId": "brd", "title": canary, "content": canary}
    written = await world.gateway.post(
        "/upsertProjectNote", tenant.keys["member"], note | {"summary": canary}
    )
    assert written.status_code == 200, written.text
    key = await platform.store.get(refs.api_key_address(ids["keyId"]))
    assert key is not None
    return (
        refs.organization(organization),
        refs.member(organization, ids["userId"]),
        *(refs.member(organization, user) for user in tenant.users.values()),
        refs.project(ids["projectId"]),
        refs.process(ids["processId"]),
        refs.listing(ids["processId"]),
        refs.template(ids["processDeploymentId"]),
        refs.rollout(ids["rolloutId"]),
        refs.rollout_target(ids["rolloutId"], installed.id),
        refs.instance(installed.id),
        refs.endpoint(installed.id, "main"),
        refs.deployment(ids["deploymentInstanceId"]),
        refs.execution(installed.id, ids["executionId"]),
        refs.execution_job(installed.id, ids["jobId"]),
        refs.api_key_address(ids["keyId"]),
        refs.invitation(ids["invitationId"]),
        refs.team(organization, ids["teamId"]),
        refs.webhook_secrets(installed.id, "main"),
        refs.subscription(organization, ids["subscriptionId"]),
        event.ref,
    )
