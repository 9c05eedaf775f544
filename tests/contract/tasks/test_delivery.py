from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2

from infra.local.tasks.server import Server
from tests.contract.tasks.conftest import MakeQueue
from tests.contract.tasks.tasks import retries, task
from tests.contract.tasks.worker import Script, Worker

Client = tasks_v2.CloudTasksAsyncClient
Method = tasks_v2.HttpMethod

ACCOUNT = "podium-tasks@demo.iam.gserviceaccount.com"


async def _gone(client: Client, name: str) -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            await client.get_task(name=name)
        except exceptions.NotFound:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{name} is still there")


async def test_a_task_arrives_as_the_request_it_describes(
    client: Client, worker: Worker, queue: str, path: str
) -> None:
    created = await client.create_task(
        parent=queue,
        task=task(f"{worker.url}{path}?a=1&b=%20", body=b"\x00\xff", headers={"X-Mine": "1"}),
    )
    (delivery,) = await worker.wait(path)
    assert (delivery.method, delivery.body) == ("POST", b"\x00\xff")
    assert delivery.headers["X-Mine"] == "1"
    assert delivery.headers["User-Agent"] == "Google-Cloud-Tasks"
    assert delivery.headers["X-CloudTasks-QueueName"] == queue.rpartition("/")[2]
    assert delivery.headers["X-CloudTasks-TaskName"] == created.name.rpartition("/")[2]
    assert delivery.headers["X-CloudTasks-TaskRetryCount"] == "0"
    assert delivery.headers["X-CloudTasks-TaskExecutionCount"] == "0"
    eta = float(delivery.headers["X-CloudTasks-TaskETA"])
    assert eta == pytest.approx(created.schedule_time.timestamp(), abs=1e-5)
    assert "X-CloudTasks-TaskPreviousResponse" not in delivery.headers
    assert "Authorization" not in delivery.headers
    await _gone(client, created.name)


@pytest.mark.parametrize("method", [Method.GET, Method.PUT, Method.PATCH, Method.DELETE, Method.OPTIONS])
async def test_a_task_uses_its_http_method(
    client: Client, worker: Worker, queue: str, path: str, method: tasks_v2.HttpMethod
) -> None:
    body = b"x" if method in (Method.PUT, Method.PATCH) else b""
    await client.create_task(parent=queue, task=task(worker.url + path, method=method, body=body))
    (delivery,) = await worker.wait(path)
    assert (delivery.method, delivery.body) == (method.name, body)


async def test_a_task_cannot_pretend_to_be_the_queue(
    client: Client, worker: Worker, queue: str, path: str
) -> None:
    forged = {
        "X-CloudTasks-TaskRetryCount": "9",
        "x-cloudtasks-queuename": "forged",
        "X-Google-Internal": "1",
        "User-Agent": "forged",
        "Host": "forged",
        "Content-Length": "1",
    }
    await client.create_task(parent=queue, task=task(worker.url + path, headers=forged, body=b"whole"))
    (delivery,) = await worker.wait(path)
    assert delivery.body == b"whole"
    assert "forged" not in delivery.headers.values()
    assert "X-Google-Internal" not in delivery.headers
    assert delivery.retry_count == 0


async def test_the_identity_token_verifies_against_the_published_keys(
    server: Server, client: Client, worker: Worker, queue: str, path: str
) -> None:
    oidc = tasks_v2.OidcToken(service_account_email=ACCOUNT, audience="https://tasks.example")
    await client.create_task(parent=queue, task=task(worker.url + path, oidc=oidc))
    (delivery,) = await worker.wait(path)
    scheme, _, token = delivery.headers["Authorization"].partition(" ")
    key = await asyncio.to_thread(jwt.PyJWKClient(server.jwks_url).get_signing_key_from_jwt, token)
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="https://tasks.example")
    assert scheme == "Bearer"
    assert claims["iss"] == "https://accounts.google.com"
    assert (claims["email"], claims["email_verified"]) == (ACCOUNT, True)
    assert 0 < claims["exp"] - claims["iat"] <= 3600


async def test_the_audience_of_a_token_is_the_url_when_none_is_given(
    client: Client, worker: Worker, queue: str, path: str
) -> None:
    oidc = tasks_v2.OidcToken(service_account_email=ACCOUNT)
    await client.create_task(parent=queue, task=task(worker.url + path, oidc=oidc))
    (delivery,) = await worker.wait(path)
    token = delivery.headers["Authorization"].partition(" ")[2]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == worker.url + path


async def test_a_task_waits_for_its_time(client: Client, worker: Worker, queue: str, path: str) -> None:
    due = time.monotonic() + 0.6
    await client.create_task(parent=queue, task=task(worker.url + path, after=0.6))
    (delivery,) = await worker.wait(path)
    assert -0.01 <= delivery.at - due < 1.0


async def test_an_earlier_task_is_not_held_up_by_a_later_one(
    client: Client, worker: Worker, queue: str, path: str
) -> None:
    await client.create_task(parent=queue, task=task(worker.url + path, after=30, body=b"later"))
    await client.create_task(parent=queue, task=task(worker.url + path, after=0.2, body=b"sooner"))
    (delivery,) = await worker.wait(path)
    assert delivery.body == b"sooner"


async def test_a_task_is_delivered_at_once(client: Client, worker: Worker, queue: str, path: str) -> None:
    delays = []
    for count in range(1, 11):
        start = time.monotonic()
        await client.create_task(parent=queue, task=task(worker.url + path))
        delays.append((await worker.wait(path, count))[-1].at - start)
    # Milliseconds on a quiet machine; the bound is for a busy one.
    assert sorted(delays)[4] < 0.25


async def test_a_worker_that_is_too_slow_fails_the_attempt(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(first=30, most=30))
    worker.scripts[path] = Script(seconds=5)
    created = await client.create_task(parent=queue, task=task(worker.url + path, deadline=0.8))
    await worker.wait(path)
    await asyncio.sleep(1.2)
    late = await client.get_task(name=created.name)
    assert (late.dispatch_count, late.response_count) == (1, 0)
    assert late.last_attempt.response_status.code == 4  # DEADLINE_EXCEEDED
    assert late.schedule_time - datetime.now(UTC) > timedelta(seconds=20)


async def test_a_redirect_is_a_failure_and_carries_the_token_nowhere(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(attempts=1))
    worker.scripts[path] = Script(always=307, headers={"Location": worker.url + path + "-elsewhere"})
    oidc = tasks_v2.OidcToken(service_account_email=ACCOUNT)
    created = await client.create_task(parent=queue, task=task(worker.url + path, oidc=oidc))
    await _gone(client, created.name)
    assert len(worker.seen(path)) == 1
    assert worker.seen(path + "-elsewhere") == []


async def test_a_paused_queue_holds_its_tasks_until_it_is_resumed(
    client: Client, worker: Worker, queue: str, path: str
) -> None:
    assert (await client.pause_queue(name=queue)).state == tasks_v2.Queue.State.PAUSED
    await client.create_task(parent=queue, task=task(worker.url + path))
    await asyncio.sleep(0.3)
    assert worker.seen(path) == []
    await client.resume_queue(name=queue)
    assert len(await worker.wait(path)) == 1


async def test_a_forced_task_runs_early_even_in_a_paused_queue(
    client: Client, worker: Worker, queue: str, path: str
) -> None:
    created = await client.create_task(parent=queue, task=task(worker.url + path, after=3600))
    await client.pause_queue(name=queue)
    forced = await client.run_task(name=created.name)
    assert forced.dispatch_count == 1
    await worker.wait(path)
    await _gone(client, created.name)


async def test_a_forced_run_that_fails_waits_for_its_retry(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(first=0.2))
    worker.scripts[path] = Script(statuses=[500])
    created = await client.create_task(parent=queue, task=task(worker.url + path, after=3600))
    await client.run_task(name=created.name)
    assert [delivery.retry_count for delivery in await worker.wait(path, 2)] == [0, 1]


async def test_a_purge_removes_what_waits_and_keeps_what_comes_later(
    client: Client, worker: Worker, queue: str, path: str
) -> None:
    for _ in range(5):
        await client.create_task(parent=queue, task=task(worker.url + path, after=1.0, body=b"old"))
    purged = await client.purge_queue(name=queue)
    await client.create_task(parent=queue, task=task(worker.url + path, after=1.1, body=b"new"))
    deliveries = await worker.wait(path)
    assert purged.purge_time is not None
    assert [delivery.body for delivery in deliveries] == [b"new"]


async def test_a_task_deleted_during_its_attempt_is_not_tried_again(
    client: Client, worker: Worker, make_queue: MakeQueue, path: str
) -> None:
    queue = await make_queue(retry_config=retries(first=0.1))
    worker.scripts[path] = Script(always=500, seconds=0.2)
    created = await client.create_task(parent=queue, task=task(worker.url + path))
    await worker.wait(path)
    await client.delete_task(name=created.name)
    await asyncio.sleep(0.6)
    assert len(worker.seen(path)) == 1
