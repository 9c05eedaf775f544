from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.n8n.executions import N8nExecution, N8nStatus
from shared.n8n.liveness import WebhookAddress
from shared.n8n.redaction import REDACTED, redact
from shared.n8n.webhook import WebhookCaller, WebhookOutcome
from tests.contract.n8n.conftest import Publish
from tests.contract.n8n.flows import answer, code, node, webhook, workflow

SLOW = "await new Promise(done => setTimeout(done, 1500)); return [{json: {}}]"


def body(execution_id: str) -> bytes:
    secret = "secret-of-one-single-run"
    return f'{{"executionMetadata":{{"executionId":"{execution_id}","executionSecret":"{secret}"}}}}'.encode()


Send = Callable[..., Awaitable[WebhookOutcome]]


@pytest.fixture
def send(n8n: N8nClient, webhooks: WebhookCaller) -> Send:
    async def call(path: str, execution_id: str, *, wait: float = 10, auth: str = "none") -> WebhookOutcome:
        url = n8n.webhook_url(path)
        return await webhooks.call(url, "POST", body(execution_id), auth, accept_timeout=wait)

    return call


async def ended(n8n: N8nClient, n8n_execution_id: str) -> N8nExecution:
    for _ in range(200):
        execution = await n8n.get_execution(n8n_execution_id)
        if execution.status.over:
            return execution
        await asyncio.sleep(0.05)
    raise AssertionError("the run does not end")


def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=1)


async def test_a_running_execution_is_found_by_the_id_in_its_body(
    n8n: N8nClient, publish: Publish, send: Send, prefix: str
) -> None:
    state = await publish(workflow(prefix, webhook(prefix), code(SLOW)), WebhookAddress("POST", prefix))
    wanted, other = uuid.uuid4().hex, uuid.uuid4().hex
    calls = asyncio.gather(send(prefix, wanted), send(prefix, other))
    found = None
    for _ in range(40):
        found = found or await n8n.find_execution_of(state.id, wanted, just_now())
        await asyncio.sleep(0.02)
    assert found is not None
    assert not found.status.over
    assert found.belongs_to(wanted)
    assert not found.belongs_to(other)
    assert set(await calls) == {WebhookOutcome.ACCEPTED}
    again = await n8n.find_execution_of(state.id, wanted, just_now())
    assert again is not None
    assert (again.id, again.status) == (found.id, N8nStatus.SUCCESS)


async def test_a_run_goes_on_when_the_caller_does_not_wait(
    n8n: N8nClient, publish: Publish, send: Send, prefix: str
) -> None:
    state = await publish(workflow(prefix, webhook(prefix), code(SLOW)), WebhookAddress("POST", prefix))
    execution_id = uuid.uuid4().hex
    assert await send(prefix, execution_id, wait=0.4) is WebhookOutcome.ACCEPTED
    found = await n8n.find_execution_of(state.id, execution_id, just_now())
    assert found is not None
    assert (await ended(n8n, found.id)).status is N8nStatus.SUCCESS


async def test_a_waiting_execution_is_found(
    n8n: N8nClient, publish: Publish, send: Send, prefix: str
) -> None:
    wait = node("Wait", "wait", 1.1, {"resume": "timeInterval", "amount": 90, "unit": "seconds"})
    state = await publish(
        workflow(prefix, webhook(prefix, mode="onReceived"), wait), WebhookAddress("POST", prefix)
    )
    execution_id = uuid.uuid4().hex
    assert await send(prefix, execution_id) is WebhookOutcome.ACCEPTED
    for _ in range(50):
        found = await n8n.find_execution_of(state.id, execution_id, just_now())
        if found is not None and found.status is N8nStatus.WAITING:
            break
        await asyncio.sleep(0.05)
    assert found is not None
    assert found.status is N8nStatus.WAITING
    assert found.wait_till is not None


async def test_a_failed_execution_is_found_with_its_error(
    n8n: N8nClient, publish: Publish, send: Send, prefix: str
) -> None:
    state = await publish(
        workflow(prefix, webhook(prefix), code("throw new Error('boom')")), WebhookAddress("POST", prefix)
    )
    execution_id = uuid.uuid4().hex
    assert await send(prefix, execution_id) is WebhookOutcome.FAILED_IN_WORKFLOW
    found = await n8n.find_execution_of(state.id, execution_id, just_now())
    assert found is not None
    assert found.status is N8nStatus.ERROR
    assert "boom" in str(found.document["data"])


async def test_an_execution_that_n8n_never_got_is_not_found(
    n8n: N8nClient, publish: Publish, send: Send, prefix: str
) -> None:
    state = await publish(workflow(prefix, webhook(prefix), answer(1)), WebhookAddress("POST", prefix))
    await send(prefix, uuid.uuid4().hex)
    assert await n8n.find_execution_of(state.id, uuid.uuid4().hex, just_now()) is None


async def test_an_execution_is_found_behind_newer_ones(
    n8n: N8nClient, publish: Publish, send: Send, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.n8n.execution_calls._PAGE_WITH_DATA", 3)
    state = await publish(workflow(prefix, webhook(prefix), answer(1)), WebhookAddress("POST", prefix))
    first = uuid.uuid4().hex
    for execution_id in (first, *(uuid.uuid4().hex for _ in range(7))):
        await send(prefix, execution_id)
    found = await n8n.find_execution_of(state.id, first, just_now())
    listed = await n8n.list_executions(state.id)
    assert found is not None
    assert [one.id for one in listed][-1] == found.id
    assert len(listed) == 8
    assert [int(one.id) for one in listed] == sorted((int(one.id) for one in listed), reverse=True)


async def test_a_list_ends_at_its_limit(n8n: N8nClient, publish: Publish, send: Send, prefix: str) -> None:
    state = await publish(workflow(prefix, webhook(prefix), answer(1)), WebhookAddress("POST", prefix))
    for _ in range(3):
        await send(prefix, uuid.uuid4().hex)
    assert len(await n8n.list_executions(state.id, limit=2)) == 2
    assert len(await n8n.list_executions(state.id, N8nStatus.ERROR)) == 0


async def test_the_version_that_ran_is_known(
    n8n: N8nClient, publish: Publish, send: Send, prefix: str
) -> None:
    state = await publish(workflow(prefix, webhook(prefix), answer(1)), WebhookAddress("POST", prefix))
    await send(prefix, uuid.uuid4().hex)
    (listed,) = await n8n.list_executions(state.id, include_data=True)
    assert listed.workflow_version_id == state.active_version_id


async def test_an_unknown_execution_is_refused(n8n: N8nClient) -> None:
    with pytest.raises(N8nRefused) as refused:
        await n8n.get_execution("999999999")
    assert refused.value.n8n_status == 404


async def test_run_data_holds_secrets_until_it_is_redacted(
    n8n: N8nClient, publish: Publish, send: Send, prefix: str, header_auth: tuple[str, str]
) -> None:
    credential, value = header_auth
    copying = code("return [{json: {copied: 'x' + $json.headers['x-codika-webhook-auth']}}]")
    state = await publish(
        workflow(prefix, webhook(prefix, credential=credential), copying), WebhookAddress("POST", prefix)
    )
    await send(prefix, uuid.uuid4().hex, auth=value)
    (listed,) = await n8n.list_executions(state.id, include_data=True)
    shown = redact(listed.document)
    for secret in (value, "secret-of-one-single-run"):
        assert secret in str(listed.document)
        assert secret not in str(shown)
    assert REDACTED in str(shown)
