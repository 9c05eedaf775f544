"""Two organizations on one n8n: one attacks, the other has everything there is to reach for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.model.apikey import KeyKind
from shared.model.scopes import Scope
from shared.store import refs
from shared.store.store import Patch
from tests.chaos.ensemble import document_of, put_document
from tests.integration.world.integrations import connected
from tests.integration.world.n8n_workflows import DeployableN8n
from tests.integration.world.products import Product, new_product
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World
from tests.security.attacks import Attack

Json = dict[str, Any]

_DEEP = 900
_NESTED = 150


@dataclass(slots=True)
class Neighbours:
    """``words`` are what stands for the victim's things in an attack."""

    world: World = field(repr=False)
    n8n: DeployableN8n = field(repr=False)
    attacker: Tenant
    words: dict[str, str]

    async def attempt(self, attack: Attack) -> tuple[Product, Json]:
        """Return a project of the attacker and the configuration that holds the attack."""
        product = await new_product(self.world, self.attacker, self.n8n)
        configuration = product.configuration("mark")
        for workflow in configuration["workflows"]:
            if workflow["workflowTemplateId"] == "beta":
                document = document_of(workflow)
                document["nodes"] += attack.nodes
                document["settings"] |= attack.settings
                put_document(workflow, json.loads(self._filled(json.dumps(document | attack.top))))
        configuration["deploymentInputSchema"] = [
            *configuration["deploymentInputSchema"],
            {"type": "string", "key": "P", "label": "P"},
        ]
        configuration["defaultDeploymentParameters"] = {
            **configuration["defaultDeploymentParameters"],
            "P": self._filled(str(attack.parameter)),
        }
        return product, configuration

    def _filled(self, text: str) -> str:
        for word, value in self.words.items():
            text = text.replace(f"<{word}>", value)
        for word, levels in (("deep", _DEEP), ("nested", _NESTED)):
            text = text.replace(f'"<{word}>"', "[" * levels + "]" * levels)
        return text


@asynccontextmanager
async def living(world: World) -> AsyncIterator[Neighbours]:
    """Run both until the context ends."""
    n8n = DeployableN8n()
    await world.register(n8n)
    await n8n.come_up()
    victim, attacker = await world.tenant_on(n8n), await world.tenant_on(n8n)
    organization = refs.organization(victim.organization_id)
    await world.platform.store.commit(Patch(organization, {"error_workflow_id": "errors-of-the-victim"}))
    operator = await victim.key(kind=KeyKind.ADMIN, scopes=[Scope.INTEGRATIONS_MANAGE])
    sk = {"OPENAI_API_KEY": "sk"}
    theirs = await connected(world, "openai", sk, key=victim.keys["owner"])
    await connected(world, "openai", sk, key=attacker.keys["owner"])
    of_platform: Json = {"context": "platform", "backendId": str(n8n.port), "key": operator}
    shared = await connected(world, "openai", sk, **of_platform)
    await connected(world, "google_gemini", {"GOOGLE_GEMINI_API_KEY": "sk"}, **of_platform)
    product = await new_product(world, victim, n8n)
    data = await product.deploy("v1")
    beta = product.in_n8n(data["processInstanceId"])["beta"]
    path = next(n for n in beta["nodes"] if n["name"] == "Webhook")["parameters"]["path"]
    words = {
        "credential": theirs,
        "credential name": n8n.credentials.stored[theirs]["name"],
        "platform credential": shared,
        "hook credential": "foreign-hook",
        "workflow": beta["id"],
        "ingestion": "ingestion-workflow",
        "error workflow": "errors-of-the-victim",
        "path": path,
        "process": data["processId"],
        "instance": data["processInstanceId"],
    }
    yield Neighbours(world, n8n, attacker, words)
    await n8n.go_down()
