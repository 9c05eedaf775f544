"""Installations of three workflows that call each other, deployed as far as documents and n8n can tell.

``main`` (http) and ``nightly`` (schedule) call ``price``, which calls ``tax``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from shared.model.deployment import DeploymentInstance, DeploymentStatus, WorkflowRow
from shared.model.endpoint import Endpoint
from shared.model.instance import Environment, InactiveReason, ProcessInstance
from shared.model.project import Process, Project
from shared.model.template import Template
from shared.store import refs
from shared.store.store import Create, Patch, Put
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import ScriptedN8n
from tests.integration.world.tenants import Tenant
from tests.integration.world.workflows import Workflow
from tests.integration.world.world import World

CALLS: Mapping[str, tuple[str, ...]] = {
    "main": ("price",),
    "nightly": ("price",),
    "price": ("tax",),
    "tax": (),
}
"""Workflow → its sub-workflows."""

INPUT = [{"key": "email", "type": "string", "label": "E-mail", "required": True}]
FORM = [{"key": "CITY", "type": "string", "label": "City", "required": False}]
URL = "{{ORGSECRET_N8N_BASE_URL_TERCESORG}}/webhook/secret-path"

_TRIGGERS: Mapping[str, dict[str, object]] = {
    "main": {
        "type": "http",
        "url": URL,
        "method": "POST",
        "inputSchema": INPUT,
        "authMethod": "bearer",
        "authToken": "a-legacy-token",
    },
    "nightly": {
        "type": "schedule",
        "cronExpression": "0 3 * * *",
        "timezone": "Europe/Zurich",
        "humanReadable": "Every night",
        "manualTriggerUrl": URL,
    },
    "price": {"type": "subworkflow", "inputSchema": [{"key": "net", "type": "number"}]},
    "tax": {"type": "service_event", "service": "slack", "eventType": "message"},
}


def configuration(title: str = "Order desk") -> dict[str, Any]:
    """Return the use case's configuration as it was deployed."""
    return {
        "title": title,
        "description": "Takes orders",
        "deploymentInputSchema": FORM,
        "defaultDeploymentParameters": {},
        "workflows": [
            {
                "workflowTemplateId": name,
                "workflowId": name,
                "workflowName": name.capitalize(),
                "triggers": [{"triggerId": f"t-{name}", **_TRIGGERS[name]}],
                "integrationUids": ["slack"] if name == "tax" else [],
                "n8nWorkflowJsonBase64": "stored as a file",
                **({"cost": 2.5} if name == "main" else {}),
            }
            for name in CALLS
        ],
    }


@dataclass(frozen=True, slots=True)
class Ensemble:
    """An installation of the ensemble; ``installed`` is its workflow ``main``."""

    world: World
    installed: Installation
    n8n: ScriptedN8n
    deployment_id: str

    @property
    def id(self) -> str:
        return self.installed.id

    @property
    def process_id(self) -> str:
        return self.installed.process_id

    def n8n_id(self, name: str) -> str:
        return n8n_id(self.installed, name)

    @property
    def log(self) -> list[tuple[str, str]]:
        """What n8n was asked to publish and unpublish of it, by workflow name."""
        names = {self.n8n_id(name): name for name in CALLS}
        return [(action, names[i]) for action, i in self.n8n.workflows.of(*names)]

    @property
    def running(self) -> set[str]:
        """The workflows that n8n runs."""
        return {n for n in CALLS if self.n8n.workflows.known[self.n8n_id(n)].active_version_id}

    def settled_in_n8n(self) -> bool:
        """Whether n8n has applied everything it was asked for."""
        return all(self.n8n.workflows.known[self.n8n_id(name)].answers for name in CALLS)

    async def instance(self) -> ProcessInstance:
        found = await self.world.platform.store.get(refs.instance(self.id))
        assert found is not None
        return found.value

    async def deployment(self) -> DeploymentInstance:
        found = await self.world.platform.store.get(refs.deployment(self.deployment_id))
        assert found is not None
        return found.value

    async def endpoints_active(self) -> dict[str, bool]:
        found = await self.world.platform.store.fetch(*(refs.endpoint(self.id, name) for name in CALLS))
        return {name: one.value.is_active for name, one in zip(CALLS, found, strict=True)}

    async def change(self, **fields: object) -> None:
        """Change fields of the installation."""
        await self.world.platform.store.commit(Patch(refs.instance(self.id), fields))

    async def change_deployment(self, **fields: object) -> None:
        """Change fields of its deployment."""
        await self.world.platform.store.commit(Patch(refs.deployment(self.deployment_id), fields))


def n8n_id(installed: Installation, name: str) -> str:
    return installed.n8n_workflow_id if name == "main" else f"{installed.n8n_workflow_id}-{name}"


async def install_ensemble(
    world: World,
    tenant: Tenant | None = None,
    *,
    n8n: ScriptedN8n | None = None,
    active: bool = True,
    environment: Environment = Environment.DEV,
    beside: Ensemble | None = None,
    auto_toggle: bool = False,
    **options: Any,
) -> Ensemble:
    """Install the ensemble; ``beside`` makes it the other environment of an installed one.

    ``n8n`` is where its workflows run, which must be what its organization uses.
    """
    at = n8n or world.n8n
    installed = await world.install(tenant, at, active=active, **options)
    deployment_id = world.platform.sources.auto_id()
    ensemble = Ensemble(world, installed, at, deployment_id)
    process_id = beside.process_id if beside else installed.process_id
    for name, called in CALLS.items():
        version = f"version-{name}"
        webhook = installed.webhook if name == "main" else None
        ids = tuple(n8n_id(installed, child) for child in called)
        published = version if active else None
        at.workflows.add(
            Workflow(n8n_id(installed, name), name.capitalize(), version, published, webhook, ids)
        )
    await _record(ensemble, process_id, environment, active, auto_toggle)
    return ensemble


async def _record(
    of: Ensemble, process_id: str, environment: Environment, active: bool, auto_toggle: bool
) -> None:
    platform, tenant = of.world.platform, of.installed.tenant
    organization_id, now = tenant.organization_id, platform.sources.now()
    project_id, template_id = f"project-{process_id}", platform.sources.auto_id()
    owner = (await of.instance()).user_id
    texts = [" ".join(f"{{{{SUBWKFL_{child}_LFKWBUS}}}}" for child in CALLS[n]).encode() for n in CALLS]
    stored = await platform.blobs.put(organization_id, [orjson.dumps(configuration()), *texts])
    changes = {
        "process_id": process_id,
        "project_id": project_id,
        "environment": environment,
        "current_deployment_instance_id": of.deployment_id,
        "live_deployment_instance_id": of.deployment_id,
        "inactive_reason": None if active else InactiveReason.USER_PAUSED,
        "deployment_parameters": {"CITY": "Bern"},
    }
    main = await of.installed.endpoint()
    await platform.store.commit(
        Patch(refs.instance(of.id), changes),
        Put(refs.project(project_id), _project(organization_id, owner, now)),
        Put(refs.process(process_id), _process(of, process_id, project_id, owner, auto_toggle)),
        Create(
            refs.template(template_id),
            Template(
                organization_id=organization_id,
                project_id=project_id,
                process_id=process_id,
                version="1.0",
                title="Order desk",
                configuration_blob=stored[0],
                workflow_blobs=dict(zip(CALLS, stored[1:], strict=True)),
                created_by=owner,
                created_at=now,
            ),
        ),
        Create(
            refs.deployment(of.deployment_id),
            DeploymentInstance(
                organization_id=organization_id,
                process_instance_id=of.id,
                process_id=process_id,
                project_id=project_id,
                template_id=template_id,
                version="1.0",
                deployment_status=DeploymentStatus.DEPLOYED,
                workflows=[_row(of, name, active) for name in CALLS],
                created_at=now,
                completed_at=now,
            ),
        ),
        *(Put(refs.endpoint(of.id, name), _endpoint(of, main, name)) for name in CALLS),
    )


def _project(organization_id: str, owner: str, now: Any) -> Project:
    return Project(organization_id=organization_id, name="Orders", created_by=owner, created_at=now)


def _process(of: Ensemble, process_id: str, project_id: str, owner: str, auto_toggle: bool) -> Process:
    return Process(
        organization_id=of.installed.tenant.organization_id,
        project_id=project_id,
        owner_id=owner,
        title="Order desk",
        latest_version="1.0",
        latest_template_id="template",
        dev_instance_id=of.id,
        auto_toggle_dev_prod=auto_toggle,
        created_at=of.world.platform.sources.now(),
    )


def _row(of: Ensemble, name: str, active: bool) -> WorkflowRow:
    return WorkflowRow(
        workflow_id=name,
        workflow_name=name.capitalize(),
        n8n_workflow_id=of.n8n_id(name),
        n8n_version_id=f"version-{name}",
        n8n_workflow_is_active=active,
        content_hash=f"hash-{name}",
        cost=2.5 if name == "main" else 0,
        integration_uids=["slack"] if name == "tax" else [],
    )


def _endpoint(of: Ensemble, main: Endpoint, name: str) -> Endpoint:
    if name == "main":
        return main
    kind = str(_TRIGGERS[name]["type"])
    changes = {
        "workflow_id": name,
        "n8n_workflow_id": of.n8n_id(name),
        "trigger_types": [kind],
        "trigger_ids": {kind: f"t-{name}"},
        "target": None,
    }
    return main.model_copy(update=changes)
