from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks import transports

from infra.local.tasks.limits import Limits
from infra.local.tasks.server import Server, serve
from infra.local.tasks.times import SECOND
from tests.contract.tasks.tasks import task
from tests.contract.tasks.worker import Worker

Client = tasks_v2.CloudTasksAsyncClient

NOWHERE = "http://127.0.0.1:1/"
BASIC, FULL = tasks_v2.Task.View.BASIC, tasks_v2.Task.View.FULL


async def test_the_basic_view_hides_the_body_and_the_full_view_shows_it(client: Client, queue: str) -> None:
    created = await client.create_task(parent=queue, task=task(NOWHERE, body=b"secret", after=60))
    basic = await client.get_task(name=created.name)
    full = await client.get_task(request={"name": created.name, "response_view": FULL})
    assert (created.view, created.http_request.body) == (BASIC, b"")
    assert (basic.view, basic.http_request.body) == (BASIC, b"")
    assert (full.view, full.http_request.body) == (FULL, b"secret")
    assert basic.http_request.url == NOWHERE


async def test_a_task_without_a_name_gets_one_in_its_queue(client: Client, queue: str) -> None:
    created = await client.create_task(parent=queue, task=task(NOWHERE, after=60))
    assert created.name.startswith(f"{queue}/tasks/")
    assert created.name.rpartition("/")[2].isdecimal()
    assert created.dispatch_deadline == timedelta(minutes=10)
    assert created.dispatch_count == 0


async def test_a_time_in_the_past_means_now(client: Client, queue: str) -> None:
    await client.pause_queue(name=queue)
    before = datetime.now(UTC)
    created = await client.create_task(parent=queue, task=task(NOWHERE, after=-3600))
    assert before <= created.schedule_time <= datetime.now(UTC)


async def test_a_task_of_one_mebibyte_fits_and_a_larger_one_is_refused(client: Client, queue: str) -> None:
    name = f"{queue}/tasks/large"
    room = 1024 * 1024 - tasks_v2.Task.pb(task(NOWHERE, name=name, body=b"", after=60)).ByteSize()
    with pytest.raises(exceptions.InvalidArgument):
        await client.create_task(parent=queue, task=task(NOWHERE, name=name, body=b"x" * room, after=60))
    await client.create_task(parent=queue, task=task(NOWHERE, name=name, body=b"x" * (room - 8), after=60))
    stored = await client.get_task(request={"name": name, "response_view": FULL})
    assert len(stored.http_request.body) == room - 8


@pytest.mark.parametrize(
    "refused",
    [
        task("ftp://127.0.0.1/"),
        task("/relative"),
        task("http://"),
        task("http://127.0.0.1/" + "a" * 2084),
        task(NOWHERE, method=tasks_v2.HttpMethod.GET, body=b"a body"),
        task(NOWHERE, headers={"X-Split": "a\r\nX-Injected: b"}),
        task(NOWHERE, headers={"X-Large": "a" * 90_000}),
        task(NOWHERE, deadline=31 * 60),
        task(NOWHERE, deadline=0.2),
        task(NOWHERE, after=31 * 24 * 3600),
        task(NOWHERE, name="projects/demo/locations/europe-west1/queues/other/tasks/a"),
        task(NOWHERE, name="just-a-name"),
        task(NOWHERE, oidc=tasks_v2.OidcToken(audience="no account")),
        tasks_v2.Task(),
    ],
)
async def test_a_malformed_task_is_refused(client: Client, queue: str, refused: tasks_v2.Task) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await client.create_task(parent=queue, task=refused)
    assert [item async for item in await client.list_tasks(parent=queue)] == []


@pytest.mark.parametrize("short", ["", "a b", "a.b", "x" * 501])
async def test_a_task_with_an_invalid_id_is_refused(client: Client, queue: str, short: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await client.create_task(parent=queue, task=task(NOWHERE, name=f"{queue}/tasks/{short}", after=60))


async def test_the_documented_shortest_deadline_is_fifteen_seconds(folder: Path) -> None:
    assert Limits().min_deadline == 15 * SECOND
    assert Limits().tombstone == 3600 * SECOND


async def test_what_the_server_cannot_do_is_refused_not_ignored(client: Client, queue: str) -> None:
    app_engine = tasks_v2.Task(app_engine_http_request=tasks_v2.AppEngineHttpRequest(relative_uri="/"))
    oauth = task(NOWHERE)
    oauth.http_request.oauth_token = tasks_v2.OAuthToken(service_account_email="a@b.c")
    for refused in (app_engine, oauth):
        with pytest.raises(exceptions.MethodNotImplemented):
            await client.create_task(parent=queue, task=refused)


async def test_pages_list_every_task_once(client: Client, queue: str) -> None:
    names = {f"{queue}/tasks/t{number}" for number in range(7)}
    for name in names:
        await client.create_task(parent=queue, task=task(NOWHERE, name=name, after=60))
    pages = [
        [item.name for item in page.tasks]
        async for page in (await client.list_tasks(request={"parent": queue, "page_size": 3})).pages
    ]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert {name for page in pages for name in page} == names


async def test_a_page_of_large_tasks_fits_a_grpc_message(client: Client, queue: str) -> None:
    for _ in range(6):
        await client.create_task(parent=queue, task=task(NOWHERE, body=b"x" * 900_000, after=60))
    request = {"parent": queue, "response_view": FULL}
    listed = [len(item.http_request.body) async for item in await client.list_tasks(request=request)]
    assert listed == [900_000] * 6


async def test_a_name_is_taken_while_its_task_waits(client: Client, queue: str) -> None:
    waiting = task(NOWHERE, name=f"{queue}/tasks/once", after=60)
    await client.create_task(parent=queue, task=waiting)
    with pytest.raises(exceptions.AlreadyExists):
        await client.create_task(parent=queue, task=waiting)


async def test_of_many_creations_of_one_name_exactly_one_succeeds(client: Client, queue: str) -> None:
    waiting = task(NOWHERE, name=f"{queue}/tasks/race", after=60)
    results = await asyncio.gather(
        *(client.create_task(parent=queue, task=waiting) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(result, tasks_v2.Task) for result in results) == 1
    assert sum(isinstance(result, exceptions.AlreadyExists) for result in results) == 19


async def test_a_name_stays_taken_after_its_task_is_done(
    client: Client, worker: Worker, queue: str, path: str
) -> None:
    done = task(worker.url + path, name=f"{queue}/tasks/done")
    await client.create_task(parent=queue, task=done)
    await worker.wait(path)
    with pytest.raises(exceptions.AlreadyExists):
        await client.create_task(parent=queue, task=done)


@pytest.mark.parametrize("how", ["delete", "purge"])
async def test_a_name_stays_taken_after_its_task_is_removed(client: Client, queue: str, how: str) -> None:
    removed = task(NOWHERE, name=f"{queue}/tasks/removed", after=60)
    await client.create_task(parent=queue, task=removed)
    await (client.delete_task(name=removed.name) if how == "delete" else client.purge_queue(name=queue))
    with pytest.raises(exceptions.NotFound):
        await client.get_task(name=removed.name)
    with pytest.raises(exceptions.AlreadyExists):
        await client.create_task(parent=queue, task=removed)


@pytest.fixture
async def forgetful(folder: Path) -> AsyncIterator[Server]:
    """A server whose tombstones last 0.3 seconds."""
    server = await serve(folder, limits=Limits(tombstone=SECOND * 3 // 10))
    yield server
    await server.close()


async def test_a_name_is_free_again_when_its_tombstone_expires(forgetful: Server) -> None:
    parent = "projects/demo/locations/l"
    async with grpc.aio.insecure_channel(forgetful.address) as channel:
        client = Client(transport=transports.CloudTasksGrpcAsyncIOTransport(channel=channel))
        queue = (
            await client.create_queue(parent=parent, queue=tasks_v2.Queue(name=f"{parent}/queues/q"))
        ).name
        again = task(NOWHERE, name=f"{queue}/tasks/again", after=60)
        await client.create_task(parent=queue, task=again)
        await client.delete_task(name=again.name)
        await asyncio.sleep(0.4)
        assert (await client.create_task(parent=queue, task=again)).name == again.name


async def test_a_deleted_task_is_not_found(client: Client, queue: str) -> None:
    created = await client.create_task(parent=queue, task=task(NOWHERE, after=60))
    await client.delete_task(name=created.name)
    for call in (
        client.get_task(name=created.name),
        client.delete_task(name=created.name),
        client.run_task(name=created.name),
    ):
        with pytest.raises(exceptions.NotFound):
            await call


async def test_the_blocking_client_works_as_well(
    server: Server, worker: Worker, queue: str, path: str
) -> None:
    def create() -> tasks_v2.Task:
        with grpc.insecure_channel(server.address) as channel:
            client = tasks_v2.CloudTasksClient(transport=transports.CloudTasksGrpcTransport(channel=channel))
            return client.create_task(
                parent=queue, task=task(worker.url + path, name=f"{queue}/tasks/{uuid.uuid4().hex}")
            )

    created = await asyncio.to_thread(create)
    (delivery,) = await worker.wait(path)
    assert delivery.headers["X-CloudTasks-TaskName"] == created.name.rpartition("/")[2]
