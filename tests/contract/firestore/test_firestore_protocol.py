from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import grpc
import pytest
from google.cloud import firestore
from google.cloud.firestore_v1.types import firestore as firestore_types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.firestore import fields, wire
from infra.local.firestore.refusal import Refusal
from infra.local.firestore.server import Server
from tests.contract.firestore.servers import Running

BatchGetDocumentsResponse = firestore_types.BatchGetDocumentsResponse.pb()
SERVICE = "/google.firestore.v1.Firestore/"
ROOT = "projects/p/databases/(default)"
UNARY = (
    "GetDocument",
    "CreateDocument",
    "UpdateDocument",
    "DeleteDocument",
    "Commit",
    "BatchWrite",
    "BeginTransaction",
    "Rollback",
    "PartitionQuery",
    "ListDocuments",
    "ListCollectionIds",
)
STREAMED = ("BatchGetDocuments", "RunQuery", "RunAggregationQuery")


@pytest.fixture(scope="module")
async def channel(ours: Running) -> AsyncIterator[grpc.aio.Channel]:
    channel = grpc.aio.insecure_channel(ours.host)
    yield channel
    await channel.close()


async def send(channel: grpc.aio.Channel, method: str, data: bytes) -> grpc.StatusCode:
    """The status a method answers to raw bytes."""
    try:
        if method in STREAMED:
            async for _ in channel.unary_stream(SERVICE + method)(data, timeout=10):
                pass
        else:
            await channel.unary_unary(SERVICE + method)(data, timeout=10)
    except grpc.aio.AioRpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


async def test_unknown_methods_are_unimplemented(channel: grpc.aio.Channel) -> None:
    for method in ("ExecutePipeline", "Nonsense"):
        assert await send(channel, method, b"") is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("method", [*UNARY, *STREAMED])
async def test_garbage_is_refused_and_the_server_lives(
    channel: grpc.aio.Channel, strict: firestore.AsyncClient, method: str
) -> None:
    chance = random.Random(method)
    for _ in range(30):
        data = chance.randbytes(chance.randrange(60))
        status = await send(channel, method, data)
        assert status not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    assert await send(channel, method, b"") is not grpc.StatusCode.INTERNAL
    await strict.document("a/x").set({"n": 1})


NAMES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            f"{ROOT}/documents",
            f"{ROOT}/documents/",
            f"{ROOT}/documents/a",
            f"{ROOT}/documents/a//b",
            f"{ROOT}/documentsx/a/b",
            "projects//databases/x/documents/a/b",
            f"{ROOT}/documents/" + "a/" * 500 + "b",
            f"{ROOT}/documents/a/__x__",
        ]
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES, path=st.text(max_size=12), page=st.text(max_size=8))
async def test_strange_names_paths_and_tokens_are_invalid_arguments(
    channel: grpc.aio.Channel, name: str, path: str, page: str
) -> None:
    get = wire.GetDocumentRequest(name=name)
    commit = wire.CommitRequest(database=ROOT)
    commit.writes.add().delete = name
    query = wire.RunQueryRequest(parent=name)
    query.structured_query.from_.add(collection_id="c")
    query.structured_query.order_by.add().field.field_path = path
    listing = wire.ListDocumentsRequest(parent=name, collection_id="c", page_token=page)
    for method, message in (
        ("GetDocument", get),
        ("Commit", commit),
        ("RunQuery", query),
        ("ListDocuments", listing),
    ):
        status = await send(channel, method, message.SerializeToString())
        allowed = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.OK)
        assert status in allowed, (method, status)


async def test_a_read_may_open_the_transaction_that_a_commit_ends(channel: grpc.aio.Channel) -> None:
    get = wire.BatchGetDocumentsRequest(database=ROOT, documents=[f"{ROOT}/documents/fresh/x"])
    get.new_transaction.read_write.SetInParent()
    answers = [
        data async for data in channel.unary_stream(SERVICE + "BatchGetDocuments")(get.SerializeToString())
    ]
    opened = BatchGetDocumentsResponse.FromString(answers[0])
    commit = wire.CommitRequest(database=ROOT, transaction=opened.transaction)
    commit.writes.add().update.name = f"{ROOT}/documents/fresh/x"
    assert BatchGetDocumentsResponse.FromString(answers[1]).missing.endswith("fresh/x")
    assert await send(channel, "Commit", commit.SerializeToString()) is grpc.StatusCode.OK
    assert await send(channel, "Commit", commit.SerializeToString()) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(("up_to", "counted"), [(3, 3), (50, 10)])
@pytest.mark.parametrize("filtered", [False, True])
async def test_a_count_ends_at_its_limit(
    inside: Server, near: firestore.AsyncClient, up_to: int, counted: int, filtered: bool
) -> None:
    for number in range(10):
        await near.document(f"runs/{number}").set({"at": number, "cost": number})
    request = wire.RunAggregationQueryRequest(parent=f"{near._database_string}/documents")
    aggregation = request.structured_aggregation_query
    aggregation.structured_query.from_.add(collection_id="runs")
    for name in ("at", "cost") if filtered else ():
        part = aggregation.structured_query.where.composite_filter.filters.add().field_filter
        part.field.field_path, part.op, part.value.integer_value = name, 4, 0
    aggregation.structured_query.where.composite_filter.op = 1
    aggregation.aggregations.add(alias="n").count.up_to.value = up_to
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{inside.port}")
    call = channel.unary_stream(SERVICE + "RunAggregationQuery")(request.SerializeToString())
    answer = wire.RunAggregationQueryResponse.FromString(await call.read())
    await channel.close()
    assert answer.result.aggregate_fields["n"].integer_value == counted


async def test_an_operand_out_of_range_is_an_invalid_argument(channel: grpc.aio.Channel) -> None:
    request = wire.RunQueryRequest(parent=f"{ROOT}/documents")
    query = request.structured_query
    query.from_.add(collection_id="c")
    query.where.field_filter.field.field_path = "at"
    query.where.field_filter.op = 5
    query.where.field_filter.value.timestamp_value.nanos = -1
    assert await send(channel, "RunQuery", request.SerializeToString()) is grpc.StatusCode.INVALID_ARGUMENT


async def test_filters_nested_without_end_are_refused(channel: grpc.aio.Channel) -> None:
    filter_ = wire.Filter()
    filter_.unary_filter.field.field_path = "a"
    filter_.unary_filter.op = 3
    for _ in range(40):
        outer = wire.Filter()
        outer.composite_filter.op = 1
        outer.composite_filter.filters.append(filter_)
        filter_ = outer
    request = wire.RunQueryRequest(parent=f"{ROOT}/documents")
    request.structured_query.from_.add(collection_id="c")
    request.structured_query.where.CopyFrom(filter_)
    status = await send(channel, "RunQuery", request.SerializeToString())
    assert status is grpc.StatusCode.INVALID_ARGUMENT


async def test_clients_that_leave_in_the_middle_of_a_result_leave_no_snapshot(
    inside: Server, near: firestore.AsyncClient
) -> None:
    for start in range(0, 2000, 500):
        batch = near.batch()
        for number in range(start, start + 500):
            batch.set(near.document(f"a/{number}"), {"n": number, "text": "x" * 1000})
        await batch.commit()
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{inside.port}")
    request = wire.RunQueryRequest(parent=f"{near._database_string}/documents")
    request.structured_query.from_.add(collection_id="a")
    for _ in range(10):
        call = channel.unary_stream(SERVICE + "RunQuery")(request.SerializeToString())
        await call.read()
        call.cancel()
    await channel.close()
    await asyncio.sleep(0.2)
    storage = inside.backend.store.storage
    assert storage.open_snapshots == 0
    assert len([snapshot async for snapshot in near.collection("a").stream()]) == 2000


async def test_a_request_of_sixteen_mebibytes_is_too_large(channel: grpc.aio.Channel) -> None:
    status = await send(channel, "Commit", b"\x0a" + b"x" * (17 << 20))
    assert status is grpc.StatusCode.RESOURCE_EXHAUSTED


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4))
def test_written_field_paths_are_read_back(path: list[str]) -> None:
    assert fields.parse(fields.written(tuple(path))) == tuple(path)


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a-b", "`a", "``", "a`b`", "1a", "`a`b"])
def test_malformed_field_paths_are_refused(path: str) -> None:
    with pytest.raises(Refusal):
        fields.parse(path)
