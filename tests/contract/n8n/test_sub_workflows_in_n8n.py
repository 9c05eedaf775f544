from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

import pytest

from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.n8n.liveness import WebhookAddress, marker, marker_node
from shared.n8n.webhook import WebhookCaller, WebhookOutcome
from shared.n8n.workflows import JsonObject, WorkflowBody
from tests.contract.n8n.conftest import Create, Publish
from tests.contract.n8n.flows import answer, node, webhook, workflow

Outcome = Callable[[], Awaitable[WebhookOutcome]]


def sub(name: str, number: int = 1, beside: tuple[JsonObject, ...] = (), **settings: object) -> WorkflowBody:
    start = node("Start", "executeWorkflowTrigger", 1.1, {"inputSource": "passthrough"})
    body = workflow(name, start, answer(number), beside=beside)
    return body.model_copy(update={"settings": {"executionOrder": "v1", **settings}})


def parent(name: str, sub_workflow_id: str) -> WorkflowBody:
    call = node(
        "Call",
        "executeWorkflow",
        1.2,
        {
            "workflowId": {"__rl": True, "mode": "id", "value": sub_workflow_id},
            "workflowInputs": {"mappingMode": "defineBelow", "value": {}},
            "options": {"waitForSubWorkflow": True},
        },
    )
    return workflow(name, webhook(name), call)


@pytest.fixture
def outcome(n8n: N8nClient, webhooks: WebhookCaller, prefix: str) -> Outcome:
    """What calling the parent comes to."""

    async def call() -> WebhookOutcome:
        return await webhooks.call(n8n.webhook_url(prefix), "POST", b"{}", "unused", accept_timeout=10)

    return call


async def test_a_sub_workflow_is_called_only_by_those_it_lists(
    n8n: N8nClient, publish: Publish, outcome: Outcome, prefix: str
) -> None:
    closed = sub(prefix, callerPolicy="workflowsFromAList", callerIds=uuid.uuid4().hex)
    child = await publish(closed)
    caller = await publish(parent(prefix, child.id), WebhookAddress("POST", prefix))
    assert await outcome() is WebhookOutcome.FAILED_IN_WORKFLOW
    # The list is a setting: it takes effect without publishing, so a parent's id can be added later.
    opened = sub(prefix, callerPolicy="workflowsFromAList", callerIds=f"someone, {caller.id}")
    saved = await n8n.save_draft(child.id, opened)
    assert saved.version_id == child.version_id
    assert await outcome() is WebhookOutcome.ACCEPTED


async def test_a_parent_is_refused_while_its_child_is_unpublished(
    n8n: N8nClient, create: Create, prefix: str
) -> None:
    child = await create(sub(prefix))
    caller = await create(parent(prefix, child.id))
    with pytest.raises(N8nRefused, match="not published"):
        await n8n.publish(caller.id)
    await n8n.publish(child.id)
    await n8n.publish(caller.id)


async def test_a_marker_tells_that_a_sub_workflow_runs_in_its_new_version(
    n8n: N8nClient, publish: Publish, outcome: Outcome, prefix: str, header_auth: tuple[str, str]
) -> None:
    child = await publish(sub(prefix))
    await publish(parent(prefix, child.id), WebhookAddress("POST", prefix))
    for number in (2, 3, 4):
        path = f"{prefix}/live/{number}"
        marked = sub(prefix, number, (marker_node(path, header_auth[0], "webhook auth"),))
        await n8n.save_draft(child.id, marked)
        published = await n8n.publish(child.id)
        await n8n.wait_until_live([marker(path)])
        assert await outcome() is WebhookOutcome.ACCEPTED
        (newest,) = await n8n.list_executions(child.id, include_data=True, limit=1)
        assert newest.workflow_version_id == published.active_version_id
