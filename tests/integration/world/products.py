"""A use case that is deployed to the scripted n8n: ``beta`` is called over HTTP and calls ``leaf-b``."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.model.deployment import DeploymentInstance
from shared.model.endpoint import Endpoint
from shared.model.instance import ProcessInstance
from shared.model.project import Process, Project
from shared.model.template import Template
from shared.store import refs
from tests.chaos.ensemble import Ensemble
from tests.integration.world.n8n_workflows import DeployableN8n
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World

Json = dict[str, Any]

SCHEMA: list[Json] = [
    {"type": "string", "key": "GREETING", "label": "Greeting", "required": True},
    {"type": "number", "key": "COUNT", "label": "Count", "min": 1},
    {"type": "multiselect", "key": "DAYS", "label": "Days", "options": [{"value": "mon"}, {"value": "tue"}]},
]
DEFAULTS: Json = {"GREETING": "Hello", "COUNT": 3}


@dataclass(slots=True)
class Product:
    """A project of a tenant and what became of it."""

    world: World = field(repr=False)
    tenant: Tenant
    project_id: str
    n8n: DeployableN8n = field(repr=False)
    title: str
    user: str = "owner"

    def configuration(self, mark: str, names: tuple[str, ...] = ("leaf-b", "beta"), **fields: Any) -> Json:
        """Return a version of the use case that greets as its parameter says."""
        ensemble = Ensemble(self.title, mark, names, extra={"beta": (_greeting(),)})
        form = {"deploymentInputSchema": SCHEMA, "defaultDeploymentParameters": DEFAULTS}
        return {**ensemble.configuration(), **form, **fields}

    async def post(self, path: str, body: Json, key: str | None = None) -> httpx.Response:
        return await self.world.gateway.post(path, key or self.tenant.keys[self.user], body)

    async def send(self, mark: str, key: str | None = None, **body: Any) -> httpx.Response:
        """Deploy, whatever comes of it; fields of the request may be replaced."""
        sent = {"projectId": self.project_id, "configuration": self.configuration(mark), **body}
        return await self.post("/deployProcessUseCase", sent, key)

    async def deploy(self, mark: str, **body: Any) -> Json:
        """Deploy, and return the answer's data."""
        return data_of(await self.send(mark, **body))

    async def publish(self, template_id: str, key: str | None = None, **body: Any) -> httpx.Response:
        sent = {"projectId": self.project_id, "processDeploymentId": template_id, **body}
        return await self.post("/publishProcessDeploymentPublic", sent, key)

    async def rerun(self, instance_id: str, key: str | None = None, **body: Any) -> httpx.Response:
        sent = {"processInstanceId": instance_id, **body}
        return await self.post("/redeployDeploymentInstancePublic", sent, key)

    async def project(self) -> Project:
        found = await self.world.platform.store.get(refs.project(self.project_id))
        assert found is not None
        return found.value

    async def process(self) -> Process:
        found = await self.world.platform.store.get(refs.process((await self.project()).process_id or ""))
        assert found is not None
        return found.value

    async def template(self, template_id: str) -> Template:
        found = await self.world.platform.store.get(refs.template(template_id))
        assert found is not None
        return found.value

    async def instance(self, instance_id: str) -> ProcessInstance:
        found = await self.world.platform.store.get(refs.instance(instance_id))
        assert found is not None
        return found.value

    async def deployment(self, deployment_id: str) -> DeploymentInstance:
        found = await self.world.platform.store.get(refs.deployment(deployment_id))
        assert found is not None
        return found.value

    async def endpoint(self, instance_id: str, workflow_id: str = "beta") -> Endpoint:
        found = await self.world.platform.store.get(refs.endpoint(instance_id, workflow_id))
        assert found is not None
        return found.value

    async def pause(self, instance_id: str) -> None:
        """Pause an installation as a user does."""
        data_of(await self.post("/deactivateProcessInstancePublic", {"processInstanceId": instance_id}))

    def in_n8n(self, instance_id: str) -> dict[str, Json]:
        """The installation's workflows in n8n by their id in the use case."""
        rows = self.n8n.named(instance_id)
        names = ("leaf-b", "beta")
        found = {name: row for row in rows for name in names if f"/ {name.title()} [" in row["name"]}
        assert len(found) == len(rows), [row["name"] for row in rows]
        return found

    def ids_in_n8n(self, instance_id: str) -> set[str]:
        """The n8n ids of those workflows."""
        return {row["id"] for row in self.in_n8n(instance_id).values()}

    def greets(self, instance_id: str) -> list[str]:
        """What n8n's live version of the installation's ``beta`` greets with, and its mark."""
        return greets(self.n8n.live_nodes(self.in_n8n(instance_id)["beta"]))


def greets(nodes: list[Json]) -> list[str]:
    """What ``beta`` with these nodes greets with, and its mark; nothing without nodes."""
    by_name = {node["name"]: node for node in nodes}
    found = [by_name[name] for name in ("Greet", "Mark") if name in by_name]
    return [n["parameters"]["assignments"]["assignments"][0]["value"].strip('"') for n in found]


async def new_product(world: World, tenant: Tenant, n8n: DeployableN8n, user: str = "owner") -> Product:
    """Create a project; its title is unlike that of any other."""
    title = f"Product {uuid.uuid4().hex[:10]}"
    answer = await world.gateway.post("/createProjectViaApiKey", tenant.keys[user], {"name": title})
    return Product(world, tenant, data_of(answer)["projectId"], n8n, title, user)


def data_of(answer: httpx.Response) -> Json:
    """Return what a successful answer holds."""
    assert answer.status_code == 200, answer.text
    data: Json = answer.json()["data"]
    return data


def refusal_of(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a refusal."""
    assert answer.json()["success"] is False, answer.text
    return answer.status_code, answer.json()["error"]["code"]


def _greeting() -> Json:
    assignment = {"id": "g", "name": "greeting", "type": "string", "value": "{{INSTPARM_GREETING_MRAPTSNI}}"}
    return {
        "id": "greet",
        "name": "Greet",
        "type": "n8n-nodes-base.set",
        "typeVersion": 3.4,
        "position": [0, 200],
        "parameters": {"mode": "manual", "assignments": {"assignments": [assignment]}, "options": {}},
    }
