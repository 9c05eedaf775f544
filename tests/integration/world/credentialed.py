"""A project whose use case and data ingestion use credentials, on an n8n that takes deployments."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from shared.model.apikey import KeyKind
from shared.model.ingestion import DataIngestion
from shared.model.instance import ProcessInstance
from shared.model.project import Process
from shared.model.scopes import Scope
from shared.store import refs
from shared.store.store import Patch
from tests.integration.world.integrations import connected
from tests.integration.world.n8n_workflows import DeployableN8n
from tests.integration.world.tenants import Tenant, create_tenant
from tests.integration.world.world import World

Json = dict[str, Any]

PATH = "{{PROCDATA_PROCESS_ID_ATADCORP}}/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}/main"
URL = "{{ORGSECRET_N8N_BASE_URL_TERCESORG}}/webhook/" + PATH
OPENAI = {"OPENAI_API_KEY": "sk"}


@dataclass
class Site:
    """A project of an organization on an n8n that takes deployments."""

    world: World
    n8n: DeployableN8n
    tenant: Tenant
    project_id: str = ""
    instance_id: str = ""
    configuration: Json = field(default_factory=dict)

    async def deploy(self, *scopes: str, key: str = "OPENAI", user: str = "owner", **changes: object) -> Json:
        """Deploy a workflow that uses a credential of each scope, and return the answer's data."""
        gateway, caller = self.world.gateway, self.tenant.keys[user]
        if not self.project_id:
            made = await gateway.post("/createProjectViaApiKey", caller, {"name": "With credentials"})
            self.project_id = made.json()["data"]["projectId"]
        body = {"projectId": self.project_id, "configuration": {**configuration(scopes, key), **changes}}
        answer = await gateway.post("/deployProcessUseCase", caller, body)
        assert answer.status_code == 200, answer.text
        data: Json = answer.json()["data"]
        self.instance_id = data["processInstanceId"]
        return data

    async def connect(self, integration_id: str, secrets: dict[str, str], **options: Any) -> str:
        options = {"key": self.tenant.keys["owner"], **options}
        return await connected(self.world, integration_id, secrets, **options)

    async def connect_platform(self, **changes: Any) -> str:
        operator = await self.tenant.key(kind=KeyKind.ADMIN, scopes=[Scope.INTEGRATIONS_MANAGE])
        here: Json = {"context": "platform", "backendId": str(self.n8n.port)}
        return await self.connect(
            "openai", {"OPENAI_API_KEY": "sk-platform"}, key=operator, **here, **changes
        )

    async def instance(self) -> ProcessInstance:
        found = await self.world.platform.store.get(refs.instance(self.instance_id))
        assert found is not None
        return found.value

    async def ingest(self, *scopes: str, key: str = "OPENAI", user: str = "owner") -> Json:
        """Deploy a data ingestion that uses a credential of each scope, and return the answer."""
        body = {"processId": self.project_id, "config": ingestion(scopes, key)}
        caller = self.tenant.keys[user]
        answer = await self.world.gateway.post("/deployDataIngestion", caller, body)
        assert answer.status_code == 200, answer.text
        deployed: Json = answer.json()
        return deployed

    async def ingestion(self, data_ingestion_id: str) -> DataIngestion:
        found = await self.world.platform.store.get(refs.data_ingestion(data_ingestion_id))
        assert found is not None
        return found.value

    async def process(self) -> Process:
        found = await self.world.platform.store.get(refs.process((await self.instance()).process_id))
        assert found is not None
        return found.value

    def used(self) -> list[Json]:
        """The credentials in the workflow that n8n runs."""
        (workflow,) = self.n8n.published(self.instance_id)
        return [
            n["credentials"]["openAiApi"]
            for n in workflow["nodes"]
            if "openAiApi" in n.get("credentials", {})
        ]


async def credential_site(world: World) -> Site:
    """Return a new site; whoever asked takes its n8n down."""
    n8n = DeployableN8n()
    await n8n.come_up()
    await world.register(n8n)
    tenant = await create_tenant(world.platform, "Atelier", n8n)
    organization = refs.organization(tenant.organization_id)
    await world.platform.store.commit(Patch(organization, {"error_workflow_id": "errors"}))
    return Site(world, n8n, tenant)


def _nodes(scopes: Iterable[str], key: str) -> list[Json]:
    nodes: list[Json] = []
    for scope in scopes:
        token = f"{{{{{scope}_{key}_%s_{scope[::-1]}}}}}"
        nodes.append(
            {
                "id": scope,
                "name": scope,
                "type": "@n8n/n8n-nodes-langchain.lmChatOpenAi",
                "typeVersion": 1,
                "position": [0, 0],
                "parameters": {},
                "credentials": {"openAiApi": {"id": token % "ID", "name": token % "NAME"}},
            }
        )
    return nodes


AUTH = {
    "httpHeaderAuth": {
        "id": "{{ORGSECRET_WEBHOOK_AUTH_CRED_ID_TERCESORG}}",
        "name": "{{ORGSECRET_WEBHOOK_AUTH_CRED_NAME_TERCESORG}}",
    }
}


def _webhook(name: str, path: str) -> Json:
    return {
        "id": name,
        "name": name,
        "type": "n8n-nodes-base.webhook",
        "typeVersion": 2,
        "position": [0, 0],
        "parameters": {"httpMethod": "POST", "path": path, "authentication": "headerAuth"},
        "credentials": AUTH,
    }


def _codika(name: str, operation: str) -> Json:
    return {
        "id": name,
        "name": name,
        "type": "n8n-nodes-codika.codika",
        "typeVersion": 1,
        "position": [0, 0],
        "parameters": {"operation": operation},
    }


def _encoded(document: Json) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def ingestion(scopes: Iterable[str], key: str) -> Json:
    """Return the configuration of a data ingestion that uses a credential of each scope."""
    process = "{{PROCDATA_PROCESS_ID_ATADCORP}}"
    init = _codika("Init", "initDataIngestion")
    embed, delete = _webhook("Embed", f"{process}/embed"), _webhook("Delete", f"{process}/embed-delete")
    links = {"Embed": {"main": [[{"node": "Init", "type": "main", "index": 0}]]}}
    nodes = [embed, init, delete, *_nodes(scopes, key)]
    document = {"name": "E", "nodes": nodes, "connections": links, "settings": {}}
    return {
        "workflowTemplateId": "embed-documents",
        "workflowName": "Embed documents",
        "n8nWorkflowJsonBase64": _encoded(document),
        "webhooks": {"embed": f"{process}/embed", "delete": f"{process}/embed-delete"},
        "purpose": "Makes documents searchable",
        "cost": 2,
    }


def configuration(scopes: Iterable[str], key: str) -> Json:
    """Return the configuration of a use case that uses a credential of each scope."""
    run = [_webhook("Hook", PATH), _codika("Init", "initWorkflow"), _codika("Submit", "submitResult")]
    links = {
        before["name"]: {"main": [[{"node": after["name"], "type": "main", "index": 0}]]}
        for before, after in pairwise(run)
    }
    document = {"name": "Main", "nodes": [*run, *_nodes(scopes, key)], "connections": links, "settings": {}}
    return {
        "title": "With credentials",
        "description": "Uses credentials",
        "workflows": [
            {
                "workflowTemplateId": "main",
                "workflowId": "main",
                "workflowName": "Main",
                "integrationUids": [],
                "triggers": [
                    {
                        "triggerId": "t",
                        "type": "http",
                        "url": URL,
                        "method": "POST",
                        "title": "Run",
                        "inputSchema": [],
                    }
                ],
                "n8nWorkflowJsonBase64": _encoded(document),
            }
        ],
    }
