"""Triggers that n8n could not run, and workflows that belong to no installation (nodes §8)."""

from __future__ import annotations

from typing import Any

import pytest

from shared.model.ingestion import DataIngestion, IngestionStatus, WebhookUrls
from shared.model.scopes import Scope
from shared.store import refs
from shared.store.store import Create, Patch
from tests.integration.runs.test_capturing import ERROR, capture, failed_run
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.world import World

Json = dict[str, Any]


def failed_trigger(installed: Installation, message: str = "The subscription was refused") -> Json:
    error = {"message": message, "name": "TriggerCloseError"}
    return {
        "trigger": {"mode": "trigger", "error": error},
        "workflow": {"id": installed.n8n_workflow_id, "name": "Main"},
    }


async def told(world: World, installed: Installation) -> list[Json]:
    key = await world.north.key(scopes=(Scope.INSTANCES_READ,))
    body = {"processInstanceId": installed.id}
    answer = await world.gateway.post("/getProcessInstancePublic", key, body)
    assert answer.status_code == 200, answer.text
    errors: list[Json] = answer.json()["data"].get("triggerErrors", [])
    return errors


async def test_an_installation_tells_of_a_trigger_that_fails_and_how_often(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    assert await told(world, installed) == []

    answers = [await capture(gateway, installed, failed_trigger(installed)) for _ in range(3)]

    (error,) = await told(world, installed)
    assert set(error) == {"workflowId", "message", "code", "hint", "firstAt", "lastAt", "count"}
    assert (error["workflowId"], error["count"]) == ("main", 3)
    assert (error["message"], error["code"]) == ("The subscription was refused", "TRIGGER_FAILED")
    assert "rerun the deployment" in error["hint"]
    # An hour's failures of one kind are one failed run.
    assert len({answer.json()["executionId"] for answer in answers}) == 1


async def test_a_run_that_the_trigger_starts_ends_its_error(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    await capture(gateway, installed, failed_trigger(installed))
    tenant = installed.tenant
    begun = {
        "memberSecret": await tenant.member_secret("owner"),
        "organizationId": tenant.organization_id,
        "userId": tenant.users["owner"],
        "processInstanceId": installed.id,
        "workflowId": "main",
        "triggerType": "schedule",
        "triggerData": {},
    }

    for _ in range(2):
        answer = await gateway.http.post("/createWorkflowExecution", json=begun)
        assert answer.status_code == 200, answer.text

    assert await told(world, installed) == []


@pytest.mark.parametrize("of_another", [True, False])
async def test_only_an_owner_sees_the_code_in_what_is_captured(
    world: World, gateway: Gateway, installed: Installation, of_another: bool
) -> None:
    endpoint = refs.endpoint(installed.id, "main")
    await world.platform.store.commit(Patch(endpoint, {"of_another": of_another}))
    message = "secretName is not defined [line 7]\nconst secretName = 1"
    error = {"message": message, "stack": "at secretName:7", "name": "ReferenceError"}
    n8n_id = f"code-{installed.process_id}"

    answer = await capture(gateway, installed, failed_run(installed, n8n_id, **error))

    run = await installed.run(answer.json()["executionId"])
    key = world.north.keys["owner"]
    shown = await gateway.status(installed.id, run.execution_id, key)
    listed = await world.gateway.get(f"/listExecutionsPublic/{installed.id}", key)
    assert run.error_details is not None
    assert ("[line 7]" in shown["errorDetails"]["message"]) is not of_another
    assert ("const secretName" in listed.text) is not of_another
    assert ("stack" in run.error_details) is not of_another
    assert (shown["errorDetails"]["code"], shown["errorDetails"]["action"]) == ("CODE_FAILED", "fix_workflow")


async def test_a_failed_data_ingestion_knows_the_document_it_failed_on(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    platform = world.platform
    ingestion = DataIngestion(
        data_ingestion_id=platform.sources.auto_id(),
        organization_id=installed.tenant.organization_id,
        project_id="project",
        process_id=installed.process_id,
        user_id=installed.tenant.users["owner"],
        version="1.0",
        status=IngestionStatus.ACTIVE,
        title="Documents",
        workflow_template_id="embed",
        workflow_name="Embed",
        workflow_blob="0" * 64,
        webhook_urls=WebhookUrls(embed="http://x/e", delete="http://x/d"),
        n8n_workflow_id=f"embed-{installed.process_id}",
        created_by="somebody",
        created_at=platform.sources.now(),
    )
    reference = refs.data_ingestion(ingestion.data_ingestion_id)
    await platform.store.commit(Create(reference, ingestion))
    embed = str(ingestion.n8n_workflow_id)
    n8n_id = installed.n8n.record(None, "error", workflow_id=embed, error=ERROR)
    installed.n8n.executions[-1]["customData"] = {"codikaDocId": "document-7"}
    report = failed_run(installed, n8n_id) | {"workflow": {"id": embed, "name": "Embed"}}

    answers = [await capture(gateway, installed, report) for _ in range(2)]

    assert [(answer.status_code, answer.json()["matched"]) for answer in answers] == [(200, False)] * 2
    found = await platform.store.get(reference)
    assert found is not None
    failure = found.value.last_failure
    assert failure is not None
    assert (failure.doc_id, failure.message, failure.count) == ("document-7", "Boom", 1)
    assert failure.n8n_execution_id == n8n_id
