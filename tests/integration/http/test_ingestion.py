"""Deploying data ingestions (api §5.12)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.model.audit import AuditEvent
from shared.model.ingestion import DataIngestion, IngestionStatus
from shared.model.project import Process, Project
from shared.model.scopes import ORGANIZATION_SCOPES, Scope
from shared.services.ingestion.files import ingestion_files
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Patch
from tests.integration.world.n8n_workflows import DeployableN8n
from tests.integration.world.tenants import create_tenant
from tests.integration.world.world import World

Json = dict[str, Any]

PROCESS = "{{PROCDATA_PROCESS_ID_ATADCORP}}"
INSTANCE = "{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}"
AUTH = {
    "httpHeaderAuth": {
        "id": "{{ORGSECRET_WEBHOOK_AUTH_CRED_ID_TERCESORG}}",
        "name": "{{ORGSECRET_WEBHOOK_AUTH_CRED_NAME_TERCESORG}}",
    }
}


def webhook(name: str, path: str, **parameters: object) -> Json:
    return {
        "id": name,
        "name": name,
        "type": "n8n-nodes-base.webhook",
        "typeVersion": 2,
        "position": [0, 0],
        "parameters": {"httpMethod": "POST", "path": path, "authentication": "headerAuth", **parameters},
        "credentials": AUTH,
    }


def node(name: str, kind: str, **parameters: object) -> Json:
    return {
        "id": name,
        "name": name,
        "type": kind,
        "typeVersion": 1,
        "position": [0, 0],
        "parameters": parameters,
    }


def workflow(*more: Json, embed: str = f"{PROCESS}/embed", delete: str = f"{PROCESS}/embed-delete") -> Json:
    nodes = [
        webhook("Embed", embed),
        node("Init", "n8n-nodes-codika.codika", operation="initDataIngestion"),
        webhook("Delete", delete),
        *more,
    ]
    links = {"Embed": {"main": [[{"node": "Init", "type": "main", "index": 0}]]}}
    return {"name": "anything", "nodes": nodes, "connections": links, "settings": {}}


def encoded(document: Mapping[str, object] | str) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.b64encode(text.encode()).decode()


def config(document: Mapping[str, object] | str | None = None, **changes: object) -> Json:
    return {
        "workflowTemplateId": "embed-documents",
        "workflowName": "Embed documents",
        "n8nWorkflowJsonBase64": encoded(document if document is not None else workflow()),
        "webhooks": {"embed": f"{PROCESS}/embed", "delete": f"{PROCESS}/embed-delete"},
        "purpose": "Makes documents searchable",
        "cost": 2,
        **changes,
    }


@dataclass
class Site:
    """A project of an organization whose n8n can be taken down, and who asks."""

    world: World
    n8n: DeployableN8n
    key: str = field(repr=False)
    project_id: str

    async def send(self, key: str | None = None, **body: object) -> httpx.Response:
        asked = {"processId": self.project_id, "config": config(), **body}
        return await self.world.gateway.post("/deployDataIngestion", key or self.key, asked)

    async def deploy(self, **body: object) -> Json:
        answer = await self.send(None, **body)
        assert answer.status_code == 200, answer.text
        deployed: Json = answer.json()
        return deployed

    async def project(self) -> Project:
        found = await self.world.platform.store.get(refs.project(self.project_id))
        assert found is not None
        return found.value

    async def process(self) -> Process:
        process_id = (await self.project()).process_id
        assert process_id is not None
        found = await self.world.platform.store.get(refs.process(process_id))
        assert found is not None
        return found.value

    async def ingestion(self, data_ingestion_id: str) -> DataIngestion:
        found = await self.world.platform.store.get(refs.data_ingestion(data_ingestion_id))
        assert found is not None
        return found.value

    async def pending(self) -> DataIngestion:
        """The data ingestion that holds the process."""
        holder = (await self.process()).ingesting
        assert holder is not None
        return await self.ingestion(holder)

    async def resumed(self, data_ingestion_id: str) -> str:
        """Deliver the watchdog's task until it is done, and return what it says."""
        for _ in range(100):
            answer = await self.resume(data_ingestion_id)
            if answer.status_code == 200:
                return str(answer.json()["data"]["outcome"])
            await asyncio.sleep(0.1)
        raise AssertionError(answer.text)

    async def resume(self, data_ingestion_id: str) -> httpx.Response:
        return await self.world.deliver("resumeDataIngestion", {"dataIngestionId": data_ingestion_id})

    def live(self) -> list[Json]:
        return self.n8n.published("Embed documents")

    async def assert_answers(self, version: str) -> None:
        """Check that this version alone is live, in n8n as in the documents."""
        process = await self.process()
        assert process.active_data_ingestion is not None
        assert process.active_data_ingestion.version == version
        ingestion = await self.ingestion(process.active_data_ingestion.data_ingestion_id)
        assert ingestion.status is IngestionStatus.ACTIVE
        (live,) = self.live()
        assert (live["id"], live["activeVersionId"]) == (ingestion.n8n_workflow_id, ingestion.n8n_version_id)
        process_id = (await self.project()).process_id
        assert self.n8n.methods(f"{process_id}/embed") == {"POST"}
        assert self.n8n.methods(f"{process_id}/embed-delete") == {"POST"}


@pytest.fixture
async def n8n(world: World) -> AsyncIterator[DeployableN8n]:
    n8n = DeployableN8n()
    await world.register(n8n)
    await n8n.come_up()
    yield n8n
    await n8n.go_down()


@pytest.fixture
async def site(world: World, n8n: DeployableN8n) -> Site:
    tenant = await create_tenant(world.platform, "Own", n8n)
    answer = await world.gateway.post("/createProjectViaApiKey", tenant.keys["owner"], {"name": "Handbook"})
    return Site(world, n8n, tenant.keys["owner"], answer.json()["data"]["projectId"])


async def test_a_first_deploy_is_version_1_0_and_answers_at_absolute_addresses(site: Site) -> None:
    answer = await site.send()

    body = answer.json()
    process_id = (await site.project()).process_id
    assert answer.status_code == 200
    assert set(body) == {"success", "dataIngestionId", "version", "status", "webhookUrls", "requestId"}
    assert (body["success"], body["version"], body["status"]) == (True, "1.0", "active")
    assert body["webhookUrls"] == {
        "embed": f"{site.n8n.url}/webhook/{process_id}/embed",
        "delete": f"{site.n8n.url}/webhook/{process_id}/embed-delete",
    }
    await site.assert_answers("1.0")
    (live,) = site.live()
    embed = next(n for n in live["nodes"] if n["name"] == "Embed")
    assert embed["credentials"] == {"httpHeaderAuth": {"id": "wh1", "name": "Webhook auth"}}
    assert live["settings"]["errorWorkflow"] == "error1"
    assert "{{PROCDATA" not in json.dumps(live)


async def test_a_project_without_a_process_gets_one_that_its_first_use_case_fills_in(site: Site) -> None:
    await site.deploy()
    project, shell = await site.project(), await site.process()
    assert (project.status, shell.is_shell, shell.title) == ("in_progress", True, "Handbook")

    answer = await site.world.gateway.post(
        "/deployProcessUseCase", site.key, {"projectId": site.project_id, "configuration": use_case()}
    )

    assert answer.status_code == 200, answer.text
    data, process = answer.json()["data"], await site.process()
    assert (data["version"], data["processId"]) == ("1.0", project.process_id)
    assert data["processInstanceId"] == shell.dev_instance_id == process.dev_instance_id
    assert (process.is_shell, process.title) == (False, "Use case")
    assert process.active_data_ingestion == shell.active_data_ingestion
    assert (await site.deploy())["version"] == "1.1"


def use_case() -> Json:
    path = f"{PROCESS}/{INSTANCE}/main"
    url = f"{{{{ORGSECRET_N8N_BASE_URL_TERCESORG}}}}/webhook/{path}"
    nodes = [webhook("Webhook", path), node("Init", "n8n-nodes-codika.codika", operation="initWorkflow")]
    main = {"nodes": nodes, "connections": {}, "settings": {}}
    return {
        "title": "Use case",
        "description": "Does something",
        "workflows": [
            {
                "workflowTemplateId": "main",
                "workflowName": "Main",
                "n8nWorkflowJsonBase64": encoded(main),
                "triggers": [{"triggerId": "t", "type": "http", "url": url, "method": "POST"}],
            }
        ],
    }


async def test_a_second_version_takes_the_place_of_the_first_as_a_new_workflow(site: Site) -> None:
    first = await site.deploy()
    (before,) = site.live()

    second = await site.deploy(versionStrategy="major_bump")

    assert (second["version"], second["status"]) == ("2.0", "active")
    assert second["webhookUrls"] == first["webhookUrls"]
    await site.assert_answers("2.0")
    (now,) = site.n8n.named("Embed documents")
    assert now["id"] != before["id"]
    assert (await site.ingestion(first["dataIngestionId"])).status is IngestionStatus.SUPERSEDED


async def test_the_old_version_is_taken_off_only_when_n8n_has_run_the_new_one_beside_it(site: Site) -> None:
    await site.deploy()
    site.n8n.asked.clear()

    await site.deploy()

    asked = [action for action, _ in site.n8n.asked if action in ("publish", "unpublish")]
    assert asked[:3] == ["publish", "unpublish", "publish"]


async def test_a_process_id_is_taken_as_well_as_a_projects(site: Site) -> None:
    await site.deploy()
    process_id = (await site.project()).process_id

    assert (await site.deploy(processId=process_id))["version"] == "1.1"


@pytest.mark.parametrize(
    ("strategies", "versions"),
    [
        (["minor_bump", "minor", "patch"], ["1.0", "1.1", "1.2"]),
        (["major", "major_bump"], ["1.0", "2.0"]),
        (["explicit 4.2", "minor_bump", "explicit 3.0", "minor_bump"], ["4.2", "4.3", "3.0", "4.4"]),
    ],
)
async def test_versions_form_a_line_of_their_own(
    site: Site, strategies: list[str], versions: list[str]
) -> None:
    given = []
    for strategy in strategies:
        word, _, explicit = strategy.partition(" ")
        body = {"explicitVersion": explicit} if explicit else {}
        given.append((await site.deploy(versionStrategy=word, **body))["version"])

    assert given == versions
    await site.assert_answers(versions[-1])


@pytest.mark.parametrize("explicit", ["1.0", "1", "v2.0", 3, None])
async def test_an_explicit_version_that_exists_or_is_none_is_refused(site: Site, explicit: object) -> None:
    await site.deploy()
    await site.deploy()

    answer = await site.send(versionStrategy="explicit", explicitVersion=explicit)

    assert answer.status_code == 400
    assert set(answer.json()) == {"success", "error", "status", "requestId"}
    assert "version" in answer.json()["error"].lower()
    await site.assert_answers("1.1")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (None, "config"),
        ({}, "workflowTemplateId"),
        (config(workflowTemplateId="a/b"), "workflowTemplateId"),
        (config(workflowName=""), "workflowName"),
        (config(webhooks={"embed": "a"}), "webhooks.delete"),
        (config(webhooks={"embed": " ", "delete": "b"}), "webhooks.embed"),
        (config(webhooks={"embed": f"{PROCESS}/other", "delete": f"{PROCESS}/embed-delete"}), "/other"),
        (config(webhooks={"embed": f"{PROCESS}/embed", "delete": f"{PROCESS}/embed"}), "two paths"),
        (config(cost=-1), "cost"),
        (config(n8nWorkflowJsonBase64="%%%"), "base64"),
        (config("[]"), "JSON object"),
        (config("{"), "JSON"),
        (config(workflow(embed="stolen/embed")), "not under this process"),
        (config(workflow(node("Shell", "n8n-nodes-base.executeCommand"))), "not allowed"),
        (config(workflow(node("Set", "n8n-nodes-base.set", a="{{INSTPARM_X_MRAPTSNI}}"))), "INSTPARM"),
        (
            config(
                workflow(node("Set", "n8n-nodes-base.set", a="{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}"))
            ),
            "PROCESS_INSTANCE_UID",
        ),
        (config(workflow(node("Call", "n8n-nodes-base.set", a="{{SUBWKFL_x_LFKWBUS}}"))), "'x'"),
        (config(workflow(node("AI", "n8n-nodes-base.set", a="{{ORGCRED_OPENAI_ID_DERCGRO}}"))), "openai"),
    ],
)
async def test_a_config_that_breaks_a_rule_is_refused_in_words_and_leaves_nothing(
    site: Site, wrong: object, named: str
) -> None:
    answer = await site.send(config=wrong)

    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert (body["success"], body["status"]) == (False, "failed")
    assert isinstance(body["error"], str)
    assert named in body["error"]
    assert site.n8n.asked == []
    assert (await site.project()).process_id is None


async def test_strangers_and_narrow_keys_are_told_why_in_words(site: Site, world: World) -> None:
    without = tuple(scope for scope in ORGANIZATION_SCOPES if scope is not Scope.DEPLOY_USE_CASE)
    narrow = await world.north.key(scopes=without)
    refused = {
        401: await site.send("cko_" + "x" * 64),
        403: await site.send(narrow),
        404: await site.send(processId="nothing"),
    }

    for status, answer in refused.items():
        assert answer.status_code == status
        assert set(answer.json()) == {"success", "error", "status", "requestId"}
        assert answer.json()["status"] == "failed"
    assert "invalid" in refused[401].json()["error"].lower()
    assert "deploy:use-case" in refused[403].json()["error"]
    assert "not found" in refused[404].json()["error"]


async def test_only_who_may_use_the_project_deploys_to_it(site: Site, world: World) -> None:
    await site.deploy()
    process_id = (await site.project()).process_id
    strangers = [
        world.north.keys["owner"],
        await world.north.key(kind=KeyKind.PERSONAL, scopes=tuple(Scope)),
    ]

    for key in strangers:
        for target in (site.project_id, process_id):
            assert (await site.send(key, processId=target)).status_code == 403
    administrator = await world.north.key(kind=KeyKind.ADMIN, scopes=tuple(Scope))
    assert (await site.send(administrator)).status_code == 200


async def test_what_n8n_says_against_the_workflow_is_the_error_and_the_old_one_never_stops(
    site: Site,
) -> None:
    first = await site.deploy()
    site.n8n.asked.clear()

    answer = await site.send(config=config(workflow(node("Odd", "n8n-nodes-odd.thing"))))

    assert answer.status_code == 502
    assert "Unrecognized node type: n8n-nodes-odd.thing" in answer.json()["error"]
    assert answer.json()["status"] == "failed"
    (kept,) = site.n8n.named("Embed documents")
    assert ("unpublish", kept["name"]) not in site.n8n.asked
    await site.assert_answers("1.0")
    assert (await site.process()).active_data_ingestion is not None
    assert (await site.ingestion(first["dataIngestionId"])).status is IngestionStatus.ACTIVE


async def test_a_version_that_failed_can_be_deployed_again(site: Site) -> None:
    site.n8n.refuse("publish", "Not today")
    refused = await site.send(versionStrategy="explicit", explicitVersion="3.0")
    assert refused.status_code == 502
    assert "Not today" in refused.json()["error"]
    assert site.n8n.kept == {}

    deployed = await site.deploy(versionStrategy="explicit", explicitVersion="3.0")

    assert (deployed["version"], deployed["status"]) == ("3.0", "active")
    await site.assert_answers("3.0")


async def test_a_refusal_after_the_old_one_was_taken_off_puts_it_back(site: Site) -> None:
    await site.deploy()

    # The rehearsal passes; what follows the unpublishing is refused.
    site.n8n.refuse("publish", "The disk is full", status=500, after="unpublish")
    answer = await site.send()

    assert answer.status_code == 502
    assert "The disk is full" in answer.json()["error"]
    await site.assert_answers("1.0")
    assert len(site.n8n.named("Embed documents")) == 1
    assert (await site.deploy())["version"] == "1.1"
    await site.assert_answers("1.1")


@pytest.mark.parametrize("slips", [1, 2])
async def test_addresses_that_stay_in_n8ns_cache_are_freed_by_another_round(site: Site, slips: int) -> None:
    await site.deploy()
    site.n8n.slips = slips

    assert (await site.deploy())["status"] == "active"

    await site.assert_answers("1.1")


async def test_a_deploy_while_n8n_is_down_fails_and_the_next_one_works(site: Site) -> None:
    await site.deploy()
    await site.n8n.go_down()

    answer = await site.send()
    failed = await site.pending()
    await site.n8n.come_up()

    assert answer.status_code == 502
    assert "cannot be reached" in answer.json()["error"]
    assert (failed.status, failed.unsettled) == (IngestionStatus.FAILED, True)
    # The task that tidies up may be at it just now.
    while (answer := await site.send()).status_code == 409:
        await asyncio.sleep(0.05)
    assert answer.json()["version"] == "1.1"
    await site.assert_answers("1.1")
    assert await site.resumed(failed.data_ingestion_id) == "finished"
    await site.assert_answers("1.1")


async def test_what_could_not_be_undone_is_undone_by_a_task_once_n8n_is_back(site: Site) -> None:
    await site.deploy()
    site.n8n.refuse("publish", "The disk is full", status=500, after="unpublish", times=9)
    answer = await site.send()
    assert answer.status_code == 502
    failed = await site.pending()
    assert failed.unsettled
    assert site.live() == []

    # The queue tries at the same time: either of the two meets the other or n8n's refusal.
    assert (await site.resume(failed.data_ingestion_id)).status_code in (502, 503)
    site.n8n.forgive()
    await site.resumed(failed.data_ingestion_id)

    await site.assert_answers("1.0")
    assert (await site.process()).ingesting is None


async def test_a_second_deploy_at_the_same_time_is_told_to_wait(site: Site) -> None:
    await site.deploy()

    answers = await asyncio.gather(*(site.send() for _ in range(4)))

    codes = sorted(answer.status_code for answer in answers)
    assert codes.count(200) >= 1
    assert set(codes) <= {200, 409}
    for answer in answers:
        if answer.status_code == 409:
            assert "being deployed" in answer.json()["error"]
    active = (await site.process()).active_data_ingestion
    assert active is not None
    await site.assert_answers(active.version)
    assert len(site.n8n.named("Embed documents")) == 1


@pytest.mark.parametrize("stops_at", ["create", "save", "publish", "unpublish"])
async def test_a_deploy_whose_worker_is_gone_is_ended_by_the_watchdog(site: Site, stops_at: str) -> None:
    await site.deploy()
    gateway = await site.world.another_gateway("ingesting", DEPLOY_ANSWER_AFTER_SECONDS="0.2")
    held = site.n8n.hold(stops_at)
    asyncio.get_running_loop().call_later(0.5, held.set)
    body = {"processId": site.project_id, "config": config()}

    answer = await gateway.post("/deployDataIngestion", site.key, body)

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "pending"
    # Whether the worker or the watchdog was the one to go on is a matter of moments; what is live is not.
    outcome = await site.resumed(answer.json()["dataIngestionId"])
    assert outcome in ("active", "finished", "swept")
    await site.assert_answers("1.1")
    assert len(site.n8n.named("Embed documents")) == 1


async def test_a_deploy_that_holds_the_process_for_too_long_gives_way_to_a_newer_one(site: Site) -> None:
    await site.deploy()
    gateway = await site.world.another_gateway("ingesting", DEPLOY_ANSWER_AFTER_SECONDS="0.2")
    held = site.n8n.hold("unpublish")
    body = {"processId": site.project_id, "config": config()}
    stuck = (await gateway.post("/deployDataIngestion", site.key, body)).json()
    platform, process_id = site.world.platform, (await site.project()).process_id or ""
    assert (await site.send()).status_code == 409
    await platform.store.commit(
        Patch(refs.process(process_id), {"ingesting_until": platform.sources.now()}),
    )

    newer = asyncio.create_task(site.deploy())
    # Let go sooner, the first may end before the newer one takes its place.
    while (await site.process()).ingesting == stuck["dataIngestionId"]:
        assert not newer.done()
        await asyncio.sleep(0.02)
    held.set()

    assert (await newer)["version"] == "1.1"
    ended = await site.ingestion(stuck["dataIngestionId"])
    assert (stuck["status"], stuck["version"]) == ("pending", "1.1")
    assert (ended.status, ended.error_code) == (IngestionStatus.FAILED, "DEPLOYMENT_SUPERSEDED")
    await site.assert_answers("1.1")
    assert len(site.n8n.named("Embed documents")) == 1


async def test_the_file_of_every_version_can_be_had_as_it_was_sent(site: Site) -> None:
    text = json.dumps(workflow(), indent=4)
    await site.deploy(config=config(text))
    await site.deploy(versionStrategy="explicit", explicitVersion="0.9")
    platform, process_id = site.world.platform, (await site.project()).process_id or ""

    latest = await ingestion_files(platform, process_id, None)
    older = await ingestion_files(platform, process_id, "0.9")

    assert latest is not None
    version, (file,) = latest
    assert (version, file.relative_path) == ("1.0", "data-ingestion/embed-documents.json")
    assert (file.content_type, file.size_bytes) == ("application/json", len(text))
    organization_id = (await site.project()).organization_id
    assert (await platform.blobs.get(organization_id, [file.blob]))[file.blob].decode() == text
    assert older is not None
    assert older[0] == "0.9"
    assert await ingestion_files(platform, process_id, "7.7") is None
    assert await ingestion_files(platform, "nothing", None) is None


async def test_every_deploy_is_in_the_audit_log(site: Site) -> None:
    deployed = await site.deploy()
    project = await site.project()

    events = below(refs.organization(project.organization_id), "auditEvents", AuditEvent)
    found = await find(site.world.platform.store, events.where("action", "==", "data_ingestion.deployed"))

    (event,) = [entry.value for entry in found]
    assert event.target == project.process_id
    assert event.details == {"version": "1.0", "dataIngestionId": deployed["dataIngestionId"]}
