"""Deploying use cases (api §5.8)."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from shared.model.apikey import KeyKind
from shared.model.configuration import Configuration
from shared.model.deployment import DeploymentStatus
from shared.model.instance import InactiveReason
from shared.model.scopes import Scope
from shared.store import refs
from shared.store.store import Patch
from tests.chaos.ensemble import document_of, put_document, unknown_node
from tests.integration.world.gateway import eventually
from tests.integration.world.products import Product, data_of, new_product, refusal_of
from tests.integration.world.world import World


async def test_the_first_deploy_is_version_one_live_in_the_owners_dev_installation(product: Product) -> None:
    data = await product.deploy("v1")

    assert set(data) == {
        "templateId",
        "version",
        "isNewProcess",
        "processId",
        "processInstanceId",
        "deploymentInstanceId",
        "workflowsDeployed",
        "deploymentStatus",
    }
    assert (data["version"], data["isNewProcess"], data["deploymentStatus"]) == ("1.0", True, "deployed")
    n8n = product.in_n8n(data["processInstanceId"])
    assert data["workflowsDeployed"] == [
        {"workflowTemplateId": name, "n8nWorkflowId": n8n[name]["id"], "status": "active"}
        for name in ("leaf-b", "beta")
    ]
    assert product.greets(data["processInstanceId"]) == ["Hello", "v1"]


async def test_a_deploy_records_version_installation_and_project(product: Product) -> None:
    data = await product.deploy("v1")

    template = await product.template(data["templateId"])
    instance = await product.instance(data["processInstanceId"])
    project = await product.project()
    assert (template.status, template.version) == ("inactive", "1.0")
    assert (instance.environment, instance.is_active, instance.current_version) == ("dev", True, "1.0")
    assert instance.user_id == product.tenant.users["owner"]
    assert instance.deployment_parameters == {"GREETING": "Hello", "COUNT": 3}
    assert (instance.deploying, project.deploying) == (None, None)
    assert (project.status, project.process_id) == ("in_progress", data["processId"])
    assert project.current_deployment is not None
    assert project.current_deployment.version == "1.0"


async def test_the_next_deploy_updates_the_same_installation_in_place(product: Product) -> None:
    first = await product.deploy("v1")
    before = {name: row["id"] for name, row in product.in_n8n(first["processInstanceId"]).items()}

    second = await product.deploy("v2")

    assert (second["version"], second["isNewProcess"]) == ("1.1", False)
    for same in ("processId", "processInstanceId"):
        assert second[same] == first[same]
    for other in ("templateId", "deploymentInstanceId"):
        assert second[other] != first[other]
    assert {n: row["id"] for n, row in product.in_n8n(first["processInstanceId"]).items()} == before
    assert product.greets(first["processInstanceId"]) == ["Hello", "v2"]


@pytest.mark.parametrize(
    ("strategy", "version"),
    [
        ({}, "1.1"),
        ({"versionStrategy": "minor_bump"}, "1.1"),
        ({"versionStrategy": "patch"}, "1.1"),
        ({"versionStrategy": "major_bump"}, "2.0"),
        ({"versionStrategy": "explicit", "explicitVersion": "7.3"}, "7.3"),
    ],
)
async def test_a_strategy_decides_the_next_version(
    product: Product, strategy: dict[str, str], version: str
) -> None:
    await product.deploy("v1", versionStrategy="major_bump")

    data = await product.deploy("v2", **strategy)

    assert data["version"] == version


async def test_bumps_go_on_from_the_highest_version(product: Product) -> None:
    explicit = {"versionStrategy": "explicit"}
    await product.deploy("v1", **explicit, explicitVersion="5.9")
    await product.deploy("v2", **explicit, explicitVersion="2.0")

    assert (await product.deploy("v3"))["version"] == "5.10"
    taken = await product.send("v4", **explicit, explicitVersion="2.0")
    assert refusal_of(taken) == (400, "INVALID_VERSION")


async def test_parameters_are_kept_new_ones_take_their_default_removed_ones_are_ignored(
    product: Product,
) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    data_of(await product.rerun(instance_id, deploymentParameters={"GREETING": "Ahoy"}, forceRedeploy=True))
    form: list[dict[str, Any]] = [
        {"type": "string", "key": "GREETING", "label": "Greeting"},
        {"type": "number", "key": "NEW", "label": "New", "defaultValue": 9},
    ]
    changed = product.configuration(
        "v2", deploymentInputSchema=form, defaultDeploymentParameters={"GREETING": "Hi"}
    )

    await product.deploy("v2", configuration=changed)

    assert product.greets(instance_id) == ["Ahoy", "v2"]
    parameters = (await product.instance(instance_id)).deployment_parameters
    assert (parameters["GREETING"], parameters["NEW"]) == ("Ahoy", 9)


async def test_a_workflow_the_next_version_drops_is_gone_from_n8n(product: Product) -> None:
    names = ("leaf-b", "beta", "leaf-c", "gamma")
    data = await product.deploy("v1", configuration=product.configuration("v1", names))
    assert len(product.n8n.named(data["processInstanceId"])) == 4

    await product.deploy("v2")

    assert set(product.in_n8n(data["processInstanceId"])) == {"leaf-b", "beta"}


@pytest.mark.parametrize(
    ("change", "code", "details"),
    [
        ({"title": ""}, "INVALID_CONFIGURATION", {"field": "title"}),
        ({"workflows": []}, "INVALID_CONFIGURATION", {"field": "workflows"}),
        ({"processType": "shared"}, "INVALID_CONFIGURATION", {"field": "processType"}),
    ],
)
async def test_a_broken_configuration_is_refused_with_the_field_and_nothing_is_recorded(
    product: Product, change: dict[str, Any], code: str, details: dict[str, Any]
) -> None:
    answer = await product.send("v1", configuration=product.configuration("v1", **change))

    assert refusal_of(answer) == (400, code)
    assert details.items() <= answer.json()["error"]["details"].items()
    assert (await product.project()).process_id is None


async def test_a_schedule_without_its_four_fields_names_the_first_that_lacks(product: Product) -> None:
    configuration = product.configuration("v1")
    configuration["workflows"][1]["triggers"].append(
        {"type": "schedule", "triggerId": "s", "timezone": "Europe/Paris", "humanReadable": "daily"}
    )

    answer = await product.send("v1", configuration=configuration)

    assert refusal_of(answer) == (400, "INVALID_CONFIGURATION")
    details = answer.json()["error"]["details"]
    assert details["field"].startswith("workflows[1].triggers[1].")
    assert details["index"] == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"nodes": []}', '{"nodes": {{INSTPARM_COUNT_MRAPTSNI}} x}'])
async def test_a_file_that_is_no_workflow_after_replacement_is_refused_with_its_index(
    product: Product, text: str
) -> None:
    configuration = product.configuration("v1")
    configuration["workflows"][1]["n8nWorkflowJsonBase64"] = base64.b64encode(text.encode()).decode()

    answer = await product.send("v1", configuration=configuration)

    assert refusal_of(answer) == (400, "INVALID_WORKFLOW_JSON")
    assert answer.json()["error"]["details"]["index"] == 1


async def test_a_value_without_quotes_is_judged_as_what_it_becomes(product: Product) -> None:
    configuration = product.configuration("v1")
    text = base64.b64decode(configuration["workflows"][1]["n8nWorkflowJsonBase64"]).decode()
    assert ": {{INSTPARM_GREETING_MRAPTSNI}}" in text

    data = await product.deploy("v1", configuration=configuration)

    assert product.greets(data["processInstanceId"]) == ["Hello", "v1"]


async def test_sub_workflows_that_call_each_other_are_refused_by_name(product: Product) -> None:
    configuration = product.configuration("v1")
    leaf = configuration["workflows"][0]
    document = document_of(leaf)
    document["nodes"][1]["parameters"]["back"] = "{{SUBWKFL_beta_LFKWBUS}}"
    put_document(leaf, document)

    answer = await product.send("v1", configuration=configuration)

    assert refusal_of(answer) == (400, "INVALID_CONFIGURATION")
    message = answer.json()["error"]["message"]
    assert "beta" in message
    assert "leaf-b" in message


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"projectId": None}, 400, "INVALID_PROJECT_ID"),
        ({"projectId": ""}, 400, "INVALID_PROJECT_ID"),
        ({"projectId": 5}, 400, "INVALID_PROJECT_ID"),
        ({"projectId": "nothing"}, 404, "PROJECT_NOT_FOUND"),
        ({"configuration": None}, 400, "INVALID_CONFIGURATION"),
        ({"configuration": "text"}, 400, "INVALID_CONFIGURATION"),
        ({"versionStrategy": "sideways"}, 400, "INVALID_REQUEST"),
        ({"versionStrategy": "explicit"}, 400, "INVALID_VERSION"),
        ({"versionStrategy": "explicit", "explicitVersion": "1"}, 400, "INVALID_VERSION"),
        ({"versionStrategy": "explicit", "explicitVersion": "../1.0"}, 400, "INVALID_VERSION"),
    ],
)
async def test_a_malformed_deploy_is_refused_with_a_code_of_the_closed_set(
    product: Product, body: dict[str, Any], status: int, code: str
) -> None:
    assert refusal_of(await product.send("v1", **body)) == (status, code)


async def test_refusals_of_scope_organization_and_ownership_are_403_unauthorized(product: Product) -> None:
    world, north = product.world, product.tenant
    scopeless = await north.key(scopes=(Scope.PROJECTS_READ,))
    keys = [scopeless, world.south.keys["owner"], north.keys["member"]]

    answers = [await product.send("v1", key) for key in keys]

    assert [refusal_of(answer) for answer in answers] == [(403, "UNAUTHORIZED")] * 3
    assert "deploy:use-case" in answers[0].json()["error"]["message"]


async def test_an_admins_deploy_belongs_to_the_projects_creator(product: Product) -> None:
    product = await new_product(product.world, product.tenant, product.n8n, user="member")
    administrator = await product.tenant.key(kind=KeyKind.ADMIN)

    data = data_of(await product.send("v1", administrator))

    instance = await product.instance(data["processInstanceId"])
    assert instance.user_id == product.tenant.users["member"]


async def test_skills_and_sources_are_kept_and_a_bad_source_does_not_fail_the_deploy(
    product: Product,
) -> None:
    skill = {
        "name": "say-beta",
        "description": "",
        "workflowTemplateId": "beta",
        "contentMarkdown": "# Beta",
        "relativePath": "skills/beta/SKILL.md",
    }
    content = base64.b64encode(b"export {}").decode()
    documents = [
        {"relativePath": path, "contentType": "text/typescript", "contentBase64": content}
        for path in ("config.ts", "../config.ts", "/etc/config.ts")
    ]

    data = await product.deploy("v1", skills=[skill], metadataDocuments=documents)

    stored = data["metadataDocumentsStored"]
    assert data["deploymentStatus"] == "deployed"
    assert [one["success"] for one in stored] == [True, False, False]
    assert set(stored[0]) == {"relativePath", "storagePath", "success"}
    assert all(one["error"] for one in stored[1:])
    answer = await product.world.gateway.get(
        f"/getProcessSkillsPublic/{data['processInstanceId']}", product.tenant.keys["owner"]
    )
    assert [one["name"] for one in data_of(answer)["skills"]] == ["say-beta"]


async def test_custom_integrations_of_the_configuration_are_required(product: Product) -> None:
    custom = {
        "id": "cstm_acme",
        "name": "Acme",
        "description": "d",
        "contextType": "organization",
        "n8nCredentialType": "httpHeaderAuth",
        "secretFields": [{"key": "TOKEN", "type": "password", "label": "Token", "required": True}],
        "metadataFields": [],
        "n8nCredentialMapping": {"TOKEN": "value"},
    }
    configuration = product.configuration("v1", customIntegrations=[custom])

    data = await product.deploy("v1", configuration=configuration)

    assert Configuration.model_validate(configuration).required_integrations() == ["cstm_acme"]
    assert data["deploymentStatus"] == "failed"
    assert "cstm_acme" in data["error"]


async def test_missing_integrations_are_an_answer_that_lists_them(product: Product) -> None:
    configuration = product.configuration("v1", integrationUids=["google_slides", "microsoft_to_do"])

    data = await product.deploy("v1", configuration=configuration)

    assert data["deploymentStatus"] == "failed"
    assert "google_slides" in data["error"]
    assert "microsoft_to_do" in data["error"]
    assert [row["status"] for row in data["workflowsDeployed"]] == ["failed", "failed"]
    instance = await product.instance(data["processInstanceId"])
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.MISSING_INTEGRATION)
    assert product.in_n8n(data["processInstanceId"]) == {}


async def test_what_n8n_refuses_is_an_answer_and_leaves_nothing_in_n8n(product: Product) -> None:
    product.n8n.refuse("publish", "Unrecognized node type: x")

    data = await product.deploy("v1")

    assert (data["deploymentStatus"], data["version"]) == ("failed", "1.0")
    assert "Unrecognized node type" in data["error"]
    instance = await product.instance(data["processInstanceId"])
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.DEPLOY_FAILED)
    assert product.in_n8n(data["processInstanceId"]) == {}
    assert (await product.deploy("v2"))["version"] == "1.1"


async def test_a_failed_update_leaves_the_version_before_it_running(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    configuration = product.configuration("v2")
    beta = configuration["workflows"][1]
    document = document_of(beta)
    put_document(beta, {**document, "nodes": [*document["nodes"], unknown_node()]})

    data = await product.deploy("v2", configuration=configuration)

    assert data["deploymentStatus"] == "failed"
    assert product.greets(instance_id) == ["Hello", "v1"]
    instance = await product.instance(instance_id)
    assert (instance.is_active, instance.current_version) == (True, "1.0")
    answer = await product.world.gateway.post(f"/webhook/{instance_id}/beta", product.tenant.keys["owner"])
    assert answer.status_code == 200


@pytest.mark.usefixtures("slow_n8n")
async def test_of_two_deploys_at_once_the_second_is_told_of_the_first(product: Product) -> None:
    answers = await asyncio.gather(product.send("left"), product.send("right"))

    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert data_of(won)["version"] == "1.0"
    assert refusal_of(lost) == (409, "DEPLOYMENT_IN_PROGRESS")


async def test_a_deploy_that_takes_too_long_answers_pending_and_is_ended_by_a_task(
    world: World, product: Product
) -> None:
    impatient = await world.another_gateway("impatient", DEPLOY_ANSWER_AFTER_SECONDS="0.2")
    product.n8n.slow_seconds = 0.3
    body = {"projectId": product.project_id, "configuration": product.configuration("v1")}
    answer = await impatient.post("/deployProcessUseCase", product.tenant.keys["owner"], body)
    product.n8n.slow_seconds = 0

    data = data_of(answer)
    assert data["deploymentStatus"] == "pending"
    deployment_id = data["deploymentInstanceId"]
    for _ in range(100):
        deployment = await product.deployment(deployment_id)
        if deployment.deployment_status.is_terminal:
            break
        await asyncio.sleep(0.1)
    assert deployment.deployment_status is DeploymentStatus.DEPLOYED
    await eventually(lambda: product.greets(data["processInstanceId"]) == ["Hello", "v1"])


async def test_an_archived_dev_gets_no_new_version(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    await product.pause(instance_id)
    await product.world.platform.store.commit(Patch(refs.instance(instance_id), {"archived": True}))

    assert refusal_of(await product.send("v2")) == (409, "INSTANCE_ARCHIVED")
    assert (await product.process()).latest_version == "1.0"
    assert (await product.instance(instance_id)).deploying is None


async def test_a_deploy_for_somebody_who_left_says_so_and_records_nothing(product: Product) -> None:
    product = await new_product(product.world, product.tenant, product.n8n, user="member")
    await product.world.platform.store.commit(
        Patch(refs.project(product.project_id), {"created_by": "somebody-who-left"})
    )
    administrator = await product.tenant.key(kind=KeyKind.ADMIN)

    answer = await product.send("v1", administrator)

    assert refusal_of(answer) == (404, "USER_NOT_FOUND")
    assert (await product.project()).process_id is None


async def test_an_ensemble_that_n8n_does_not_take_back_is_switched_off_until_a_rerun(
    product: Product,
) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    key = product.tenant.keys["owner"]
    # The sub-workflow is published, its caller is not, and the sub-workflow's version before is refused.
    product.n8n.refuse("publish", "out of order", named="Beta", times=1)
    product.n8n.refuse("save", "out of order", after="publish", named="Leaf-B", times=99)

    failed = await product.deploy("v2")

    assert failed["deploymentStatus"] == "failed"
    assert "switched off" in failed["error"]
    instance = await product.instance(instance_id)
    assert (instance.is_active, instance.inactive_reason) == (False, "deploy_failed")
    assert (await product.post(f"/webhook/{instance_id}/beta", {}, key)).status_code == 412

    product.n8n.forgive()
    assert data_of(await product.rerun(instance_id))["deploymentStatus"] == "deployed"
    assert product.greets(instance_id) == ["Hello", "v2"]
    assert (await product.post(f"/webhook/{instance_id}/beta", {}, key)).status_code == 200
