"""What a publisher wrote and owns does not reach who installs it (platform §12, decision 0017).

A text of its own stands in a workflow's code, a source document, a note, the publisher's parameters and
credentials, the project. Another organization installs the process, uses it, and knocks at every endpoint
with the ids of both. The code alone gets into the installer's workflow in n8n, where it runs.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from shared.http.access import Keyed
from tests.chaos.ensemble import document_of, put_document
from tests.integration.world.endpoints import ALL
from tests.integration.world.integrations import connected
from tests.integration.world.market import Shop, shop
from tests.integration.world.n8n_workflows import DeployableN8n
from tests.integration.world.products import Json, Product, data_of, new_product
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World
from tests.security.bodies import ids_of, request_of

CODE = "canary-code-5b1f0c77e2"
DOCUMENT = "canary-document-90ac41d3b8"
NOTE = "canary-note-2277f1ac05"
PARAMETER = "canary-parameter-c8e6a40913"
CREDENTIAL = "canary-credential-71d05be3fa"
PROJECT = "canary-project-4fb86e20d1"
DEFAULTED = "canary-sibling-0b9e77a1c3"
CANARIES = (CODE, DOCUMENT, NOTE, PARAMETER, CREDENTIAL, PROJECT, DEFAULTED)


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer to an installer."""

    endpoint: str
    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Sale:
    """A process that was published, and its installation at another organization."""

    world: World
    product: Product
    buyer: Tenant
    shop: Shop
    instance_id: str
    workflows: list[str]
    answers: list[Heard]


def _code() -> Json:
    return {
        "id": "code",
        "name": "Think",
        "type": "n8n-nodes-base.code",
        "typeVersion": 2,
        "position": [0, 400],
        "parameters": {"jsCode": f"return [{{ json: {{ secret: '{CODE}' }} }}];"},
    }


def _with_code(configuration: Json) -> Json:
    for workflow in configuration["workflows"]:
        document = document_of(workflow)
        put_document(workflow, {**document, "nodes": [*document["nodes"], _code()]})
    return configuration


async def _published(product: Product) -> str:
    """Publish a process with a text of its own in everything, and return its id."""
    product.title = f"Sold {product.project_id}"
    document = {
        "relativePath": "docs/plan.md",
        "contentType": "text/markdown",
        "contentBase64": base64.b64encode(DOCUMENT.encode()).decode(),
    }
    configuration = _with_code(product.configuration("v1"))
    deployed = await product.deploy("v1", configuration=configuration, metadataDocuments=[document])
    note = {"projectId": product.project_id, "documentTypeId": "brd", "title": NOTE, "content": NOTE}
    data_of(await product.post("/upsertProjectNote", {**note, "summary": NOTE}))
    data_of(await product.post("/updateProjectPublic", {"projectId": product.project_id, "name": PROJECT}))
    world, key = product.world, product.tenant.keys["owner"]
    await connected(world, "tavily", {"TAVILY_API_KEY": CREDENTIAL}, key=key)
    published = data_of(await product.publish(deployed["templateId"], visibility="public"))
    for instance, value in ((published, PARAMETER), (deployed, DEFAULTED)):
        given: Json = {"deploymentParameters": {"GREETING": value}, "forceRedeploy": True}
        data_of(await product.rerun(instance["processInstanceId"], **given))
    return (await product.project()).process_id or ""


@pytest.fixture(scope="module")
async def sale(world: World) -> AsyncIterator[Sale]:
    n8n = DeployableN8n()
    await world.register(n8n)
    await n8n.come_up()
    publisher, buyer = await world.tenant_on(n8n), await world.tenant_on(n8n)
    product = await new_product(world, publisher, n8n)
    process_id = await _published(product)
    buying = shop(world, buyer)
    shown = await buying.show(process_id)
    installed = await buying.installed(process_id, deploymentParameters={"GREETING": "Mine"})
    instance_id = installed["processInstanceId"]
    workflows = [json.dumps(flow) for flow in n8n.named(instance_id)]
    execution = await world.gateway.trigger(f"{instance_id}/beta", buyer.keys["owner"])
    ids = await _ids(product, buyer, installed, execution)
    answers = [
        Heard("before it was installed", shown.status_code, shown.text),
        *await _knock(world, buyer, ids),
    ]
    yield Sale(world, product, buyer, buying, instance_id, workflows, answers)
    await n8n.go_down()


async def _ids(product: Product, buyer: Tenant, installed: Json, execution: str) -> Json:
    """The ids an installer could ever learn, the publisher's among them."""
    process = await product.process()
    return {
        "organizationId": buyer.organization_id,
        "userId": buyer.users["guest"],
        "memberId": buyer.users["guest"],
        "projectId": product.project_id,
        "processId": installed["processId"],
        "processDeploymentId": process.published_template_id,
        "templateId": process.published_template_id,
        "processInstanceId": installed["processInstanceId"],
        "deploymentInstanceId": installed["deploymentInstanceId"],
        "executionId": execution,
        "workflowId": "beta",
        "documentTypeId": "brd",
        "file": "public.pem",
        "asset": "start.js",
        "keyId": "nothing",
        "teamId": "nothing",
        "invitationId": "nothing",
        "rolloutId": "nothing",
        "jobId": "nothing",
    }


async def _knock(world: World, buyer: Tenant, ids: Json) -> list[Heard]:
    """Call every endpoint that takes keys, as each user of the installer; questions first."""
    heard = []
    keyed = sorted((one for one in ALL if isinstance(one.access, Keyed)), key=lambda one: one.changes)
    for endpoint in keyed:
        body = request_of(endpoint, ids)
        path = "/" + "/".join([endpoint.name, *(str(ids[name]) for name in endpoint.params)])
        where: dict[str, Any] = {"params": body} if endpoint.method == "GET" else {"json": body}
        for user in ("owner", "member"):
            headers = {"X-API-Key": buyer.keys[user]}
            answer = await world.gateway.http.request(endpoint.method, path, headers=headers, **where)
            heard.append(Heard(endpoint.name, answer.status_code, f"{answer.headers} {answer.text}"))
    return heard


async def test_no_answer_to_an_installer_holds_what_the_publisher_wrote(sale: Sale) -> None:
    publisher = sale.product.tenant
    secret = (*CANARIES, publisher.organization_id, *publisher.users.values(), *publisher.keys.values())

    found = {(heard.endpoint, text) for heard in sale.answers for text in secret if text in heard.text}

    assert len(sale.answers) > 100
    assert found == set()


async def test_endpoints_of_the_publishers_project_refuse_an_installer(sale: Sale) -> None:
    about = {e.name for e in ALL if {"projectId", "processDeploymentId"} & set(ids_of(e))}
    statuses = {heard.endpoint: heard.status for heard in sale.answers if heard.endpoint in about}

    assert {"getProjectNotes", "getMetadataDocumentsEndpoint", "getUseCaseDocuments"} <= statuses.keys()
    assert {name: status for name, status in statuses.items() if status not in (400, 403, 404)} == {}


async def test_the_publishers_installations_refuse_an_installer(sale: Sale) -> None:
    process = await sale.product.process()
    for instance_id in (process.dev_instance_id, process.prod_instance_id or ""):
        body = {"processInstanceId": instance_id}
        for path in ("getProcessInstancePublic", "revealInstanceKey", "redeployDeploymentInstancePublic"):
            assert (await sale.shop.post(path, **body)).status_code == 403
        for path in ("getProcessSkillsPublic", "listExecutionsPublic"):
            answer = await sale.world.gateway.get(f"/{path}/{instance_id}", sale.shop.key)
            assert answer.status_code == 403


async def test_an_installer_is_shown_what_it_runs(sale: Sale) -> None:
    answered = {heard.endpoint for heard in sale.answers if heard.status == 200}

    used = {"getProcessInstancePublic", "listProcessInstancesPublic", "getProcessSkillsPublic"}
    assert used | {"getExecutionStatusPublic", "listExecutionsPublic"} <= answered


async def test_no_document_of_the_installer_holds_it(sale: Sale) -> None:
    documents = await _documents_of(sale.world, sale.buyer.organization_id)
    publishers = await _documents_of(sale.world, sale.product.tenant.organization_id)

    assert len(documents) > 10
    held = {canary for canary in CANARIES if canary in publishers}
    assert held == set(CANARIES) - {CREDENTIAL}, "the search finds what is there"
    assert {canary for canary in CANARIES if canary in documents} == set()


async def _documents_of(world: World, organization_id: str) -> str:
    """Return everything the store holds of an organization as one text, blobs unpacked."""
    texts: list[str] = []
    async for collection in world.platform.store.client.collections():
        async for snapshot in collection.recursive().stream():
            fields = snapshot.to_dict() or {}
            own = f"organizations/{organization_id}" in snapshot.reference.path
            if own or fields.get("organizationId") == organization_id:
                data = fields.get("data")
                unpacked = zlib.decompress(data).decode("utf-8", "replace") if isinstance(data, bytes) else ""
                texts.append(f"{fields} {unpacked}")
    return "\n".join(texts)


async def test_no_log_holds_it(sale: Sale) -> None:
    logged = sale.world.gateway.log.read_text()

    assert "installProcessPublic" in logged
    assert {canary for canary in CANARIES if canary in logged} == set()


async def test_the_code_alone_is_in_the_installers_workflows(sale: Sale) -> None:
    assert len(sale.workflows) == 2
    assert {canary for canary in CANARIES if canary in "".join(sale.workflows)} == {CODE}
