"""Installations as a deployment leaves them: the documents a trigger, a callback and a capture need."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from shared.model.apikey import KeyKind
from shared.model.deployment import N8nWorkflowOwner
from shared.model.endpoint import Endpoint, TriggerTarget
from shared.model.execution import Execution
from shared.model.instance import Environment, InactiveReason, ProcessInstance, SharedWith, Sharing
from shared.services.platform import Platform
from shared.services.runs.trigger import new_execution
from shared.services.secrets import instance_key, seal_text, webhook_secret
from shared.store import refs
from shared.store.store import Create, Put
from tests.integration.world.n8n import Behaviour, Call, ScriptedN8n
from tests.integration.world.tenants import Tenant


@dataclass(frozen=True, slots=True)
class Installation:
    """One installed workflow, ``main``, whose webhook is at ``webhook`` of its n8n."""

    platform: Platform = field(repr=False)
    tenant: Tenant
    n8n: ScriptedN8n = field(repr=False)
    id: str
    process_id: str
    n8n_workflow_id: str
    webhook: str
    key: str = field(repr=False)

    @property
    def path(self) -> str:
        """The last two segments of its trigger URL."""
        return f"{self.id}/main"

    def behave(self, *behaviours: Behaviour) -> None:
        self.n8n.behave(self.webhook, *behaviours)

    @property
    def calls(self) -> list[Call]:
        """The webhook calls that reached n8n."""
        return self.n8n.calls_of(self.webhook)

    async def endpoint(self) -> Endpoint:
        """Return the document that triggers read."""
        found = await self.platform.store.get(refs.endpoint(self.id, "main"))
        assert found is not None
        return found.value

    async def record_run(self, **fields: object) -> str:
        """Record a pending run that no task was made for, and return its id."""
        run = new_execution(self.platform, await self.endpoint(), trigger_id="t1", trigger_type="http")
        run = run.model_copy(update=fields)
        await self.platform.store.commit(Create(refs.execution(self.id, run.execution_id), run))
        return run.execution_id

    async def run(self, execution_id: str) -> Execution:
        """Return the record of a run."""
        found = await self.platform.store.get(refs.execution(self.id, execution_id))
        assert found is not None
        return found.value


async def install(
    platform: Platform,
    tenant: Tenant,
    n8n: ScriptedN8n,
    *,
    owner: str = "owner",
    shared_with: SharedWith = SharedWith.OWNER_ONLY,
    shared_users: tuple[str, ...] = (),
    active: bool = True,
    trigger_type: str | None = "http",
    method: str = "POST",
    input_schema: list[dict[str, object]] | None = None,
) -> Installation:
    """Install a use case with one workflow; ``trigger_type`` None makes one that cannot be triggered."""
    instance_id, process_id = platform.sources.uuid7(), platform.sources.auto_id()
    installation = Installation(
        platform,
        tenant,
        n8n,
        id=instance_id,
        process_id=process_id,
        n8n_workflow_id=f"n8n-{process_id}",
        webhook=f"{process_id}/{instance_id}/main",
        key=await tenant.key(owner, kind=KeyKind.INSTANCE, scopes=(), process_instance_id=instance_id),
    )
    sharing = Sharing(
        user_id=tenant.users[owner],
        shared_with=shared_with,
        shared_with_user_ids=[tenant.users[user] for user in shared_users],
    )
    target = TriggerTarget(
        trigger_id="t1",
        trigger_type=trigger_type or "subworkflow",
        method=method,
        url=f"{n8n.url}/webhook/{installation.webhook}",
    )
    endpoint = await _endpoint(installation, sharing, target)
    endpoint.is_active = active
    endpoint.target = target if trigger_type else None
    endpoint.input_schema = None if input_schema is None else orjson.dumps(input_schema).decode()
    await platform.store.commit(
        Create(refs.instance(instance_id), await _instance(installation, sharing, active)),
        Create(refs.endpoint(instance_id, "main"), endpoint),
        Put(
            refs.n8n_workflow(tenant.organization_id, installation.n8n_workflow_id),
            _workflow(installation, target.trigger_type),
        ),
    )
    return installation


async def _instance(of: Installation, sharing: Sharing, active: bool) -> ProcessInstance:
    context = instance_key(of.tenant.organization_id, of.id)
    return ProcessInstance(
        **dict(sharing),
        organization_id=of.tenant.organization_id,
        process_id=of.process_id,
        project_id="project",
        environment=Environment.DEV,
        visible_to=sharing.audience,
        title="Test",
        is_active=active,
        inactive_reason=None if active else InactiveReason.USER_PAUSED,
        current_version="1.0",
        current_deployment_instance_id="deployment",
        instance_key=await seal_text(of.platform, of.key, context),
        installed_at=of.platform.sources.now(),
    )


async def _endpoint(of: Installation, sharing: Sharing, target: TriggerTarget) -> Endpoint:
    context = webhook_secret(of.tenant.organization_id)
    return Endpoint(
        **dict(sharing),
        organization_id=of.tenant.organization_id,
        process_id=of.process_id,
        process_instance_id=of.id,
        deployment_instance_id="deployment",
        version="1.0",
        environment=Environment.DEV,
        workflow_id="main",
        n8n_workflow_id=of.n8n_workflow_id,
        backend_id=str(of.n8n.port),
        is_active=True,
        trigger_types=[target.trigger_type],
        trigger_ids={target.trigger_type: target.trigger_id},
        target=target,
        webhook_secret=await seal_text(of.platform, of.tenant.webhook_secret, context),
    )


def _workflow(of: Installation, trigger_type: str) -> N8nWorkflowOwner:
    return N8nWorkflowOwner(
        organization_id=of.tenant.organization_id,
        process_instance_id=of.id,
        process_id=of.process_id,
        deployment_instance_id="deployment",
        workflow_id="main",
        trigger_type=trigger_type,
    )
