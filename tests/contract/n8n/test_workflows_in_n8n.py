from __future__ import annotations

import httpx
import pytest

from shared.ensemble import Origin, lower
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nNotLive, N8nRefused, N8nUnreachable
from shared.n8n.liveness import WebhookAddress, marker, marker_node
from shared.n8n.workflows import WorkflowBody
from tests.contract.n8n.conftest import Create, Publish
from tests.contract.n8n.flows import answer, node, webhook, workflow
from tests.contract.n8n.private_n8n import Instance


async def ask(n8n: N8nClient, path: str) -> object:
    async with httpx.AsyncClient() as http:
        reply = await http.post(n8n.webhook_url(path), json={})
    return reply.json().get("answer") if reply.status_code == 200 else reply.status_code


async def test_a_created_workflow_is_a_draft_without_webhooks(
    n8n: N8nClient, create: Create, prefix: str
) -> None:
    state = await create(workflow(prefix, webhook(prefix), answer(1)))
    assert not state.published
    assert await ask(n8n, prefix) == 404


async def test_a_first_publish_is_live_when_its_webhook_is_registered(
    n8n: N8nClient, publish: Publish, prefix: str
) -> None:
    state = await publish(workflow(prefix, webhook(prefix), answer(1)), WebhookAddress("POST", prefix))
    assert state.active_version_id == state.version_id
    assert await ask(n8n, prefix) == 1


async def test_a_saved_draft_leaves_the_live_version_running(
    n8n: N8nClient, publish: Publish, prefix: str
) -> None:
    old = await publish(workflow(prefix, webhook(prefix), answer(1)), WebhookAddress("POST", prefix))
    draft = await n8n.save_draft(old.id, workflow(prefix, webhook(prefix), answer(2)))
    assert draft.active_version_id == old.version_id != draft.version_id
    assert await ask(n8n, prefix) == 1


async def test_saving_the_same_nodes_again_keeps_the_version(
    n8n: N8nClient, create: Create, prefix: str
) -> None:
    body = workflow(prefix, webhook(prefix), answer(1))
    state = await create(body)
    first = await n8n.save_draft(state.id, body)
    renamed = body.model_copy(update={"name": f"{prefix} renamed"})
    second = await n8n.save_draft(state.id, renamed)
    assert (second.version_id, second.name) == (first.version_id, f"{prefix} renamed")


async def test_once_the_marker_is_registered_every_webhook_answers_with_the_new_version(
    n8n: N8nClient, create: Create, prefix: str, header_auth: tuple[str, str]
) -> None:
    def version(number: int) -> tuple[str, WorkflowBody]:
        path = f"{prefix}/live/{number}"
        beside = (marker_node(path, header_auth[0], "webhook auth"),)
        return path, workflow(prefix, webhook(prefix), answer(number), beside=beside)

    state = None
    for number in range(6):
        path, body = version(number)
        state = await (create(body) if state is None else n8n.save_draft(state.id, body))
        await n8n.publish(state.id)
        await n8n.wait_until_live([marker(path)])
        assert await ask(n8n, prefix) == number


async def test_an_earlier_version_can_be_published_again(
    n8n: N8nClient, create: Create, prefix: str, header_auth: tuple[str, str]
) -> None:
    bodies = [
        workflow(
            prefix,
            webhook(prefix),
            answer(number),
            beside=(marker_node(f"{prefix}/live/{number}", header_auth[0], "webhook auth"),),
        )
        for number in (1, 2)
    ]
    old = await create(bodies[0])
    await n8n.publish(old.id)
    new = await n8n.save_draft(old.id, bodies[1])
    await n8n.publish(old.id)
    await n8n.wait_until_live([marker(f"{prefix}/live/2")])
    back = await n8n.publish(old.id, old.version_id)
    await n8n.wait_until_live([marker(f"{prefix}/live/1")])
    assert (back.active_version_id, back.version_id) == (old.version_id, new.version_id)
    assert await ask(n8n, prefix) == 1


async def test_a_version_that_does_not_exist_is_refused(n8n: N8nClient, create: Create, prefix: str) -> None:
    state = await create(workflow(prefix, webhook(prefix), answer(1)))
    with pytest.raises(N8nRefused, match="Version not found") as refused:
        await n8n.publish(state.id, "00000000-0000-4000-8000-000000000000")
    assert refused.value.n8n_status == 404


async def test_a_taken_webhook_path_is_refused_and_the_old_version_stays_live(
    n8n: N8nClient, publish: Publish, prefix: str
) -> None:
    await publish(
        workflow(prefix, webhook(f"{prefix}/a"), answer("a")), WebhookAddress("POST", f"{prefix}/a")
    )
    other = await publish(
        workflow(prefix, webhook(f"{prefix}/b"), answer("b")), WebhookAddress("POST", f"{prefix}/b")
    )
    await n8n.save_draft(other.id, workflow(prefix, webhook(f"{prefix}/a"), answer("b")))
    with pytest.raises(N8nRefused, match="conflict with one of the webhooks") as refused:
        await n8n.publish(other.id)
    assert refused.value.n8n_status == 409
    assert await ask(n8n, f"{prefix}/a") == "a"
    assert await ask(n8n, f"{prefix}/b") == "b"


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (node("Strange", "n8n-nodes-nowhere.strange", 1, {}), "Unrecognized node type"),
        (webhook("never-registered", credential=""), "Missing required credential"),
        (
            node(
                "Call",
                "executeWorkflow",
                1.2,
                {"workflowId": {"__rl": True, "mode": "id", "value": "nowhere"}},
            ),
            "not published",
        ),
    ],
    ids=["unknown node type", "missing credential", "unpublished sub-workflow"],
)
async def test_what_cannot_run_is_refused_at_publish_with_the_words_of_n8n(
    n8n: N8nClient, create: Create, prefix: str, broken: dict[str, object], words: str
) -> None:
    broken = {key: value for key, value in broken.items() if key != "credentials"}
    state = await create(
        workflow(
            prefix,
            node("Start", "scheduleTrigger", 1.2, {"rule": {"interval": [{"field": "months"}]}}),
            {**broken, "name": "Broken"},
        )
    )
    with pytest.raises(N8nRefused, match=words):
        await n8n.publish(state.id)


async def test_workflows_are_found_by_their_exact_name(n8n: N8nClient, create: Create, prefix: str) -> None:
    exact = f"{prefix} 100% [a_b]"
    made = await create(workflow(exact, webhook(prefix), answer(1)))
    await create(workflow(f"{exact} longer", webhook(prefix), answer(1)))
    await create(workflow(exact.upper(), webhook(prefix), answer(1)))
    found = await n8n.find_workflows_by_name(exact)
    assert [state.id for state in found] == [made.id]


async def test_a_name_is_found_behind_many_others_that_contain_it(
    n8n: N8nClient, create: Create, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.n8n.workflow_calls.LARGEST_PAGE", 2)
    made = await create(workflow(prefix, webhook(prefix), answer(1)))
    for number in range(5):
        await create(workflow(f"{prefix} {number}", webhook(prefix), answer(1)))
    assert [state.id for state in await n8n.find_workflows_by_name(prefix)] == [made.id]


async def test_deleting_waits_for_the_end_of_unpublishing_and_may_be_repeated(
    n8n: N8nClient, publish: Publish, prefix: str
) -> None:
    state = await publish(workflow(prefix, webhook(prefix), answer(1)), WebhookAddress("POST", prefix))
    await n8n.unpublish(state.id)
    await n8n.delete_workflow(state.id)
    await n8n.delete_workflow(state.id)
    with pytest.raises(N8nRefused) as refused:
        await n8n.get_workflow(state.id)
    assert refused.value.n8n_status == 404


async def test_a_published_workflow_is_not_deleted(n8n: N8nClient, publish: Publish, prefix: str) -> None:
    state = await publish(workflow(prefix, webhook(prefix), answer(1)), WebhookAddress("POST", prefix))
    with pytest.raises(N8nRefused, match="Unpublish it before deleting"):
        await n8n.delete_workflow(state.id)
    assert await ask(n8n, prefix) == 1


async def test_a_webhook_that_never_appears_is_named(n8n: N8nClient, prefix: str) -> None:
    with pytest.raises(N8nNotLive, match=prefix) as late:
        await n8n.wait_until_live([WebhookAddress("POST", prefix)], deadline_seconds=0.2)
    assert late.value.missing == (f"POST {prefix}",)


async def test_another_method_on_the_same_path_is_not_live(
    n8n: N8nClient, publish: Publish, prefix: str
) -> None:
    await publish(workflow(prefix, webhook(prefix), answer(1)), WebhookAddress("POST", prefix))
    with pytest.raises(N8nNotLive):
        await n8n.wait_until_live([WebhookAddress("GET", prefix)], deadline_seconds=0.1)


async def test_what_lowering_keeps_of_an_exported_workflow_is_accepted(
    n8n: N8nClient, create: Create, prefix: str
) -> None:
    body = workflow(prefix, webhook(prefix), answer(1))
    exported = {
        **body.fields(),
        "id": "abc",
        "active": True,
        "tags": [{"name": "x"}],
        "meta": {"instanceId": "y"},
        "settings": {"executionOrder": "v1", "somethingNew": True},
        "nodes": [{**one, "somethingNew": 1} for one in body.nodes],
    }
    lowered = lower(exported, Origin(prefix, prefix, "exported", "instance"), credentials={})
    state = await create(WorkflowBody.model_validate({**lowered, "name": prefix}))
    assert state.settings["executionOrder"] == "v1"
    assert [one["name"] for one in state.nodes] == ["Webhook", "Answer"]


async def test_a_wrong_key_is_refused_without_showing_it(instance: Instance) -> None:
    async with N8nClient(instance.base_url, "not-the-key-0123456789") as client:
        with pytest.raises(N8nRefused, match="does not accept the API key") as refused:
            await client.check()
    assert refused.value.n8n_status == 401
    assert "not-the-key" not in f"{refused.value} {refused.value!r} {client!r} {vars(client)}"


async def test_a_right_key_passes_the_check(n8n: N8nClient) -> None:
    await n8n.check()


async def test_a_server_that_is_no_n8n_is_told_apart(instance: Instance) -> None:
    async with N8nClient(f"{instance.base_url}/somewhere/else", instance.api_key) as client:
        with pytest.raises((N8nUnreachable, N8nRefused)):
            await client.check()
