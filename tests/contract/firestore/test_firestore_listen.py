from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import grpc
import pytest
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.local.firestore import wire
from infra.local.firestore.server import Server
from infra.local.firestore.wire import ListenRequest, ListenResponse, Target, TargetChange

ROOT = "projects/p/databases/(default)"
WAIT = 8.0
_KIND = TargetChange.TargetChangeType


class Heard:
    """The snapshots a listener got."""

    def __init__(self) -> None:
        self._snapshots: queue.Queue[list[tuple[str, object]]] = queue.Queue()
        self._changes: queue.Queue[list[tuple[str, str]]] = queue.Queue()

    def __call__(
        self, documents: list[SimpleNamespace], changes: list[SimpleNamespace], read_time: object
    ) -> None:
        self._changes.put([(change.type.name, change.document.id) for change in changes])
        self._snapshots.put([(document.id, (document.to_dict() or {}).get("n")) for document in documents])

    def next(self) -> list[tuple[str, object]]:
        """The results of the next snapshot."""
        return self._snapshots.get(timeout=WAIT)

    def next_changes(self) -> list[tuple[str, str]]:
        """The changes of the next snapshot."""
        return self._changes.get(timeout=WAIT)


@pytest.fixture
def listen() -> Iterator[Callable[..., Heard]]:
    """Starts listeners and ends them with the test."""
    watches = []

    def start(target: firestore.DocumentReference | firestore.Query) -> Heard:
        heard = Heard()
        watches.append(target.on_snapshot(heard))
        return heard

    yield start
    for watch in watches:
        watch.unsubscribe()  # type: ignore[no-untyped-call]  # the library's


def test_a_listener_hears_of_a_document_from_before_it_is_there(
    blocking: firestore.Client, listen: Callable[..., Heard]
) -> None:
    document = blocking.document("a/x")
    heard = listen(document)
    assert heard.next() == []
    document.set({"n": 1})
    assert heard.next() == [("x", 1)]
    document.update({"n": 2})
    assert heard.next() == [("x", 2)]
    document.delete()
    assert heard.next() == []


def test_a_listener_of_a_query_hears_what_enters_changes_and_leaves(
    blocking: firestore.Client, listen: Callable[..., Heard]
) -> None:
    collection = blocking.collection("a")
    collection.document("x").set({"n": 1})
    collection.document("other").set({"n": 9})
    heard = listen(collection.where(filter=FieldFilter("n", "<", 5)).order_by("n"))
    assert heard.next() == [("x", 1)]
    assert heard.next_changes() == [("ADDED", "x")]
    collection.document("y").set({"n": 0})
    assert heard.next() == [("y", 0), ("x", 1)]
    collection.document("x").set({"n": 3})
    assert heard.next() == [("y", 0), ("x", 3)]
    collection.document("x").set({"n": 7})
    assert heard.next() == [("y", 0)]
    collection.document("y").delete()
    assert heard.next() == []


def test_a_listener_with_a_limit_hears_who_moves_up(
    blocking: firestore.Client, listen: Callable[..., Heard]
) -> None:
    collection = blocking.collection("a")
    for number in range(3):
        collection.document(f"d{number}").set({"n": number})
    heard = listen(collection.order_by("n").limit(2))
    assert heard.next() == [("d0", 0), ("d1", 1)]
    collection.document("d0").delete()
    assert heard.next() == [("d1", 1), ("d2", 2)]
    collection.document("new").set({"n": -1})
    assert heard.next() == [("new", -1), ("d1", 1)]


def test_all_changes_of_one_batch_are_heard_together(
    blocking: firestore.Client, listen: Callable[..., Heard]
) -> None:
    heard = listen(blocking.collection("a"))
    assert heard.next() == []
    batch = blocking.batch()
    for number in range(3):
        batch.set(blocking.document(f"a/d{number}"), {"n": number})
    batch.commit()
    assert heard.next() == [("d0", 0), ("d1", 1), ("d2", 2)]


@asynccontextmanager
async def stream(server: Server, *requests: ListenRequest) -> AsyncIterator[Callable[[], object]]:
    """A raw Listen stream; what it yields reads the next response."""
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{server.port}")
    method = channel.stream_stream(
        "/google.firestore.v1.Firestore/Listen",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=ListenResponse.FromString,
    )
    call = method()
    for request in requests:
        await call.write(request)
    yield lambda: asyncio.wait_for(call.read(), WAIT)
    call.cancel()
    await channel.close()


def documents_target(*names: str, **fields: object) -> ListenRequest:
    target = Target(target_id=3, **fields)
    target.documents.documents.extend(f"{ROOT}/documents/{name}" for name in names)
    return ListenRequest(database=ROOT, add_target=target)


async def until(read: Callable[[], object], kind: int) -> list[str]:
    """What comes before the next target change of a kind: the kinds of responses."""
    seen: list[str] = []
    while True:
        response = await read()  # type: ignore[misc]  # a coroutine
        if response.WhichOneof("response_type") == "target_change":
            if response.target_change.target_change_type == kind:
                return seen
            seen.append(str(response.target_change.target_change_type))
        else:
            seen.append(response.WhichOneof("response_type"))


async def write(server: Server, name: str, number: int) -> None:
    document = wire.Document(name=f"{ROOT}/documents/{name}")
    document.fields["n"].integer_value = number
    server.backend.store.commit(ROOT, [wire.Write(update=document)])


async def test_a_returning_listener_with_the_newest_token_is_told_nothing_twice(inside: Server) -> None:
    await write(inside, "a/x", 1)
    async with stream(inside, documents_target("a/x")) as read:
        await until(read, _KIND.CURRENT)
        response = await read()  # type: ignore[misc]  # a coroutine
        token = response.target_change.resume_token
    async with stream(inside, documents_target("a/x", resume_token=token)) as read:
        assert await until(read, _KIND.CURRENT) == [str(_KIND.ADD)]


async def test_a_returning_listener_that_missed_something_starts_over(inside: Server) -> None:
    await write(inside, "a/x", 1)
    async with stream(inside, documents_target("a/x")) as read:
        await until(read, _KIND.CURRENT)
        response = await read()  # type: ignore[misc]  # a coroutine
        token = response.target_change.resume_token
    await write(inside, "a/x", 2)
    for stale in (token, b"strange"):
        async with stream(inside, documents_target("a/x", resume_token=stale)) as read:
            seen = await until(read, _KIND.CURRENT)
            assert seen == [str(_KIND.ADD), str(_KIND.RESET), "document_change"]


async def test_a_target_for_once_is_removed_when_it_is_current(inside: Server) -> None:
    async with stream(inside, documents_target("a/x", once=True)) as read:
        assert str(_KIND.CURRENT) in await until(read, _KIND.REMOVE)


async def test_a_removed_target_is_told_nothing_more(inside: Server) -> None:
    removal = ListenRequest(database=ROOT, remove_target=3)
    async with stream(inside, documents_target("a/x"), removal) as read:
        await until(read, _KIND.REMOVE)
        await write(inside, "a/x", 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read(), 0.2)  # type: ignore[arg-type]  # a coroutine


async def test_a_target_that_is_refused_is_removed_with_the_reason(inside: Server) -> None:
    target = Target(target_id=4)
    target.query.parent = f"{ROOT}/documents"
    query = target.query.structured_query
    query.from_.add(collection_id="runs")
    for name in ("x", "y"):
        query.order_by.add().field.field_path = name
    async with stream(inside, ListenRequest(database=ROOT, add_target=target)) as read:
        response = await read()  # type: ignore[misc]  # a coroutine
    assert response.target_change.target_change_type == _KIND.REMOVE
    assert response.target_change.cause.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]


async def test_a_hundred_listeners_that_vanish_leave_nothing_behind(inside: Server) -> None:
    watchers = len(inside.backend.store.watchers)
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{inside.port}")
    method = channel.stream_stream(
        "/google.firestore.v1.Firestore/Listen",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=ListenResponse.FromString,
    )
    calls = [method() for _ in range(100)]
    for call in calls:
        await call.write(documents_target("a/x"))
        await call.read()
    assert inside.stats.listeners == 100
    await channel.close()
    deadline = time.monotonic() + WAIT
    while inside.stats.listeners and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    assert inside.stats.listeners == 0
    assert len(inside.backend.store.watchers) == watchers
