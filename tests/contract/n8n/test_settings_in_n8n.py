"""What n8n keeps beside the versions of a workflow."""

from __future__ import annotations

from shared.n8n.client import N8nClient
from shared.n8n.liveness import WebhookAddress
from shared.n8n.workflows import WorkflowBody, instead_of
from tests.contract.n8n.conftest import Create, Publish
from tests.contract.n8n.flows import answer, webhook, workflow

ALL: dict[str, object] = {
    "callerIds": "abc",
    "callerPolicy": "workflowsFromAList",
    "errorWorkflow": "def",
    "executionOrder": "v1",
    "executionTimeout": 60,
    "saveDataErrorExecution": "none",
    "saveDataSuccessExecution": "none",
    "saveExecutionProgress": True,
    "saveManualExecutions": False,
    "timezone": "Europe/Paris",
}


def with_settings(body: WorkflowBody, settings: dict[str, object]) -> WorkflowBody:
    return body.model_copy(update={"settings": settings})


async def test_a_setting_that_a_save_does_not_name_stays(n8n: N8nClient, create: Create, prefix: str) -> None:
    body = workflow(prefix, webhook(prefix), answer(1))
    state = await create(with_settings(body, ALL))

    saved = await n8n.save_draft(state.id, with_settings(body, {"executionOrder": "v1"}))

    assert saved.settings == ALL


async def test_settings_saved_instead_of_others_leave_nothing_of_them(
    n8n: N8nClient, create: Create, prefix: str
) -> None:
    body = workflow(prefix, webhook(prefix), answer(1))
    state = await create(with_settings(body, ALL))
    wanted: dict[str, object] = {"executionOrder": "v1", "callerPolicy": "none"}

    saved = await n8n.save_draft(state.id, with_settings(body, instead_of(ALL, wanted)))

    all_saved = {
        "saveDataErrorExecution": "all",
        "saveDataSuccessExecution": "all",
        "saveManualExecutions": True,
    }
    assert saved.settings == {**wanted, **all_saved, "callerIds": "", "saveExecutionProgress": False}
    assert saved.version_id == state.version_id


async def test_the_nodes_of_an_earlier_version_can_be_read(
    n8n: N8nClient, publish: Publish, prefix: str
) -> None:
    old = await publish(workflow(prefix, webhook(prefix), answer(1)), WebhookAddress("POST", prefix))
    await n8n.save_draft(old.id, workflow(prefix, webhook(prefix), answer(2)))

    version = await n8n.get_version(old.id, old.version_id)

    assert version.version_id == old.version_id
    assert version.nodes == old.nodes
    assert version.connections == old.connections


async def test_the_nodes_of_an_earlier_version_can_be_saved_and_published_again(
    n8n: N8nClient, publish: Publish, prefix: str
) -> None:
    body = workflow(prefix, webhook(prefix), answer(1))
    old = await publish(body, WebhookAddress("POST", prefix))
    newer = await n8n.save_draft(old.id, workflow(prefix, webhook(prefix), answer(2)))
    await n8n.publish(old.id, newer.version_id)

    version = await n8n.get_version(old.id, old.version_id)
    back = body.model_copy(update={"nodes": version.nodes, "connections": version.connections})
    saved = await n8n.save_draft(old.id, back)
    published = await n8n.publish(old.id, saved.version_id)

    assert published.active_version_id == saved.version_id
    assert published.nodes == old.nodes
