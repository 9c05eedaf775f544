"""Our node package inside a real n8n: what reaches the platform, and what stays in the execution."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import orjson
import pytest

from shared.n8n.client import N8nClient
from shared.n8n.executions import N8nExecution
from shared.n8n.liveness import WebhookAddress
from shared.n8n.pool import N8nPool
from shared.n8n.webhook import WebhookOutcome
from shared.n8n.workflows import JsonObject, WorkflowBody
from tests.contract.n8n.callbacks import Callbacks
from tests.contract.n8n.flows import code, node, webhook, workflow
from tests.contract.n8n.private_n8n import Instance

Deploy = Callable[..., Awaitable[str]]
Trigger = Callable[..., Awaitable[WebhookOutcome]]


def codika(
    name: str, operation: str, resource: str | None = "processManagement", **more: object
) -> JsonObject:
    parameters: JsonObject = {"operation": operation, **more}
    if resource is not None:
        parameters["resource"] = resource
    return node(name, "n8n-nodes-codika.codika", 1, parameters)


def metadata(execution_id: str, callbacks: Callbacks) -> JsonObject:
    return {
        "executionId": execution_id,
        "executionSecret": f"secret-of-{execution_id}",
        "callbackUrl": f"{callbacks.url}/submitWorkflowResult",
        "errorCallbackUrl": f"{callbacks.url}/submitWorkflowError",
        "processInstanceId": "i1",
        "workflowId": "w1",
    }


@pytest.fixture(scope="session")
def own_n8n(own_instance: Instance, pool: N8nPool) -> N8nClient:
    return pool.client(own_instance.base_url, own_instance.api_key)


@pytest.fixture
async def deploy(own_n8n: N8nClient, prefix: str) -> AsyncIterator[Deploy]:
    """Publish a workflow behind a webhook and return its n8n id."""
    made: list[str] = []

    async def publish(*nodes: JsonObject, beside: tuple[JsonObject, ...] = ()) -> str:
        body: WorkflowBody = workflow(prefix, webhook(prefix), *nodes, beside=beside)
        state = await own_n8n.create_workflow(body)
        made.append(state.id)
        await own_n8n.publish(state.id)
        await own_n8n.wait_until_live([WebhookAddress("POST", prefix)])
        return state.id

    yield publish
    for workflow_id in made:
        await own_n8n.unpublish(workflow_id)
        await own_n8n.delete_workflow(workflow_id)


@pytest.fixture
def trigger(own_n8n: N8nClient, pool: N8nPool, prefix: str) -> Trigger:
    async def call(body: JsonObject) -> WebhookOutcome:
        url = own_n8n.webhook_url(prefix)
        return await pool.webhooks.call(url, "POST", orjson.dumps(body), "unused", accept_timeout=20)

    return call


async def only_run(n8n: N8nClient, workflow_id: str) -> N8nExecution:
    (listed,) = await n8n.list_executions(workflow_id)
    return await n8n.get_execution(listed.id)


async def test_a_webhook_run_is_taken_over_and_its_result_reaches_the_platform(
    own_n8n: N8nClient, deploy: Deploy, trigger: Trigger, callbacks: Callbacks
) -> None:
    workflow_id = await deploy(
        codika("Codika Init", "initWorkflow"),
        code("return [{json: {sum: $('Webhook').first().json.body.a + 1}}]"),
        codika("Codika Submit Result", "submitResult", resultData="={{ $json }}"),
    )
    execution_id = uuid.uuid4().hex
    outcome = await trigger({"a": 41, "executionMetadata": metadata(execution_id, callbacks)})
    assert outcome is WebhookOutcome.ACCEPTED
    (result,) = await callbacks.naming(execution_id)
    run = await only_run(own_n8n, workflow_id)
    assert isinstance(result.body["executionTimeMs"], int)
    assert (result.method, result.path) == ("POST", "/submitworkflowresult")
    assert {key: value for key, value in result.body.items() if key != "executionTimeMs"} == {
        "executionId": execution_id,
        "executionSecret": f"secret-of-{execution_id}",
        "resultData": {"sum": 42},
        "n8nExecutionId": run.id,
    }
    assert run.custom_data.keys() == {"codikaExecutionId", "codikaExecutionSecret", "codikaStartTimeMs"}
    assert run.belongs_to(execution_id)


async def test_a_run_without_metadata_is_made_by_the_platform(
    own_n8n: N8nClient, deploy: Deploy, trigger: Trigger, callbacks: Callbacks
) -> None:
    execution_id, marker = uuid.uuid4().hex, uuid.uuid4().hex
    callbacks.answers["/createworkflowexecution"] = {
        "executionId": execution_id,
        "executionSecret": "made",
        "callbackUrl": "http://p/r",
        "processId": "p1",
        "userId": "u1",
    }
    given = {
        "memberSecret": marker,
        "organizationId": "o1",
        "userId": "u1",
        "processInstanceId": "i1",
        "workflowId": "w1",
        "triggerType": "schedule",
    }
    workflow_id = await deploy(
        codika("Codika Init", "initWorkflow", "initializeExecution", **given),
        codika("Codika Submit Result", "submitResult", "workflowOutputs", resultData='{"ok": true}'),
    )
    assert await trigger({"tick": 1}) is WebhookOutcome.ACCEPTED
    (creation,) = await callbacks.naming(marker)
    (result,) = await callbacks.naming(execution_id)
    sent = creation.body["triggerData"]
    assert isinstance(sent, dict)
    assert creation.path == "/createworkflowexecution"
    assert {key: creation.body[key] for key in given} == given
    assert sent["body"] == {"tick": 1}
    assert result.body["executionSecret"] == "made"
    assert (await only_run(own_n8n, workflow_id)).custom_data["codikaExecutionId"] == execution_id


async def test_a_reported_error_reaches_the_platform_and_the_workflow_succeeds(
    deploy: Deploy, trigger: Trigger, callbacks: Callbacks
) -> None:
    await deploy(
        codika("Codika Init", "initWorkflow"),
        codika(
            "Codika Report Error", "reportError", errorMessage="={{ 'no ' + 'luck' }}", errorType="timeout"
        ),
    )
    execution_id = uuid.uuid4().hex
    outcome = await trigger({"executionMetadata": metadata(execution_id, callbacks)})
    assert outcome is WebhookOutcome.ACCEPTED
    (error,) = await callbacks.naming(execution_id)
    assert error.path == "/submitworkflowerror"
    assert (error.body["errorMessage"], error.body["errorType"]) == ("no luck", "timeout")


async def test_a_file_of_the_workflow_reaches_the_platform(
    deploy: Deploy, trigger: Trigger, callbacks: Callbacks
) -> None:
    callbacks.answers["/uploadworkflowoutput"] = {"documentId": "d1", "fileName": "r.txt"}
    convert = node(
        "File",
        "convertToFile",
        1.1,
        {"operation": "toText", "sourceProperty": "text", "options": {"fileName": "r.txt"}},
    )
    await deploy(
        codika("Codika Init", "initWorkflow"),
        code("return [{json: {text: 'content of the file'}}]"),
        convert,
        codika("Codika Upload", "uploadFile", fieldKey="report"),
        codika("Codika Submit Result", "submitResult", resultData="={{ {report: $json.documentId} }}"),
    )
    execution_id = uuid.uuid4().hex
    assert await trigger({"executionMetadata": metadata(execution_id, callbacks)}) is WebhookOutcome.ACCEPTED
    upload, result = await callbacks.naming(execution_id, 2)
    assert upload.path == "/uploadworkflowoutput"
    assert upload.content_type.startswith("multipart/form-data; boundary=----n8nBoundary")
    assert b"content of the file" in upload.content
    assert b'name="fieldKey"\r\n\r\nreport\r\n' in upload.content
    assert result.body["resultData"] == {"report": "d1"}


async def test_a_document_is_ingested_and_called_back_with_what_n8n_keeps(
    own_n8n: N8nClient, deploy: Deploy, trigger: Trigger, callbacks: Callbacks
) -> None:
    workflow_id = await deploy(
        codika("Codika Init", "initDataIngestion", "initializeExecution", namespace="n1"),
        codika("Codika Callback", "ingestionCallback", "dataIngestion", extractedTags="a, b"),
    )
    document = uuid.uuid4().hex
    outcome = await trigger(
        {
            "doc_id": document,
            "markdown_content": "# Title",
            "callback_url": f"{callbacks.url}/submitEmbeddingResult",
            "embedding_secret": "s1",
            "process_instance_id": "i1",
            "cost": 3,
        }
    )
    assert outcome is WebhookOutcome.ACCEPTED
    (callback,) = await callbacks.naming(document)
    run = await only_run(own_n8n, workflow_id)
    assert callback.path == "/submitEmbeddingResult"
    # Cost and start time come eleventh and later: n8n does not keep them.
    assert callback.body == {
        "doc_id": document,
        "embedding_secret": "s1",
        "status": "success",
        "extracted_tags": ["a", "b"],
        "executionTimeMs": 0,
        "process_instance_id": "i1",
        "n8n_execution_id": run.id,
    }
    assert len(run.custom_data) == 10


async def test_a_node_without_a_resource_still_does_its_operation(
    deploy: Deploy, trigger: Trigger, callbacks: Callbacks
) -> None:
    await deploy(
        codika("Codika Init", "initWorkflow", None),
        codika("Codika Submit Result", "submitResult", None, resultData="{}"),
    )
    execution_id = uuid.uuid4().hex
    assert await trigger({"executionMetadata": metadata(execution_id, callbacks)}) is WebhookOutcome.ACCEPTED
    (result,) = await callbacks.naming(execution_id)
    assert result.path == "/submitworkflowresult"


async def test_a_refusal_of_the_platform_fails_the_run_with_its_words(
    own_n8n: N8nClient, deploy: Deploy, trigger: Trigger, callbacks: Callbacks
) -> None:
    callbacks.answers["/submitworkflowresult"] = {"success": False, "error": "too late", "code": "OVER"}
    try:
        workflow_id = await deploy(
            codika("Codika Init", "initWorkflow"),
            codika("Codika Submit Result", "submitResult", resultData="{}"),
        )
        execution_id = uuid.uuid4().hex
        outcome = await trigger({"executionMetadata": metadata(execution_id, callbacks)})
    finally:
        del callbacks.answers["/submitworkflowresult"]
    assert outcome is WebhookOutcome.FAILED_IN_WORKFLOW
    assert "Codika API error: too late (OVER)" in str((await only_run(own_n8n, workflow_id)).document["data"])


async def test_the_node_is_usable_as_a_tool_of_an_agent(deploy: Deploy) -> None:
    # Publishing refuses node types that n8n does not know.
    await deploy(beside=(node("Tool", "n8n-nodes-codika.codikaTool", 1, {"operation": "reportError"}),))
