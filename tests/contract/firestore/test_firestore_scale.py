from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.local.firestore import wire
from infra.local.firestore.server import Server
from tests.contract.firestore.asking import Query, ids, value
from tests.contract.firestore.servers import INDEXES, Running, served

ROOT = "projects/p/databases/(default)"
MANY = 20_000
LONG = 5_000
PAGE = 20
Filled = tuple[Server, firestore.AsyncClient]


@pytest.fixture(scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Filled]:
    """Twenty thousand documents, written below the protocol for speed."""
    folder: Path = tmp_path_factory.mktemp("scale")
    async with served(folder, INDEXES) as (server, client):
        for start in range(0, MANY, 1000):
            server.backend.store.commit(ROOT, [_write(number) for number in range(start, start + 1000)])
        yield server, client


def _write(number: int) -> wire.Write:
    write = wire.Write()
    write.update.name = f"{ROOT}/documents/runs/d{number * 7919 % MANY:05d}"
    fields = write.update.fields
    fields["at"].integer_value = number
    fields["state"].string_value = "ok" if number % 2 else "failed"
    fields["owner"].string_value = f"o{number % 100}"
    return write


async def pages(query: Query, count: int) -> AsyncIterator[list[str]]:
    """The first pages, each begun behind the last document of the one before."""
    for _ in range(count):
        page = [snapshot async for snapshot in query.limit(PAGE).stream()]
        yield [snapshot.id for snapshot in page]
        query = query.start_after(page[-1])


@pytest.mark.parametrize("kind", ["by name", "one field", "composite", "downwards"])
async def test_a_page_costs_the_same_wherever_it_lies(filled: Filled, kind: str) -> None:
    server, client = filled
    runs = client.collection("runs")
    failed = runs.where(filter=FieldFilter("state", "==", "failed"))
    query = {
        "by name": runs.order_by("__name__"),
        "one field": runs.order_by("at"),
        "composite": failed.order_by("at", direction=Query.DESCENDING),
        "downwards": runs.order_by("at", direction=Query.DESCENDING),
    }[kind]
    middle = await runs.document("d10000").get()
    for begun in (query, query.start_after(middle)):
        seen: list[str] = []
        async for page in pages(begun, 5):
            seen += page
        assert len(set(seen)) == 5 * PAGE
    before = server.stats.rows_read
    async for _ in pages(query.start_after(middle), 10):
        pass
    assert server.stats.rows_read - before <= 10 * (PAGE + 1)


async def test_merging_equalities_reads_what_it_returns(filled: Filled) -> None:
    server, client = filled
    query = (
        client.collection("runs")
        .where(filter=FieldFilter("state", "==", "ok"))
        .where(filter=FieldFilter("owner", "==", "o7"))
    )
    before = server.stats.rows_read
    assert len([snapshot.id async for snapshot in query.stream()]) == MANY // 100
    assert server.stats.rows_read - before <= MANY // 100 + 1


async def test_counting_reads_no_documents(filled: Filled) -> None:
    server, client = filled
    before = server.stats.rows_read
    assert await value(client.collection("runs").order_by("__name__").count()) == MANY
    failed = client.collection("runs").where(filter=FieldFilter("state", "==", "failed"))
    assert await value(failed.count()) == MANY // 2
    assert server.stats.rows_read == before


async def test_a_long_result_is_of_one_moment_while_others_write(filled: Filled) -> None:
    _, client = filled
    query = client.collection("runs").order_by("at").select(["at"]).limit(LONG)
    seen = []
    async for snapshot in query.stream():
        seen.append(snapshot.get("at"))
        if len(seen) == 100:
            batch = client.batch()
            batch.set(client.document("runs/extra"), {"at": LONG - 100.5})
            batch.update(client.document("runs/d00000"), {"at": 30_000})
            await batch.commit()
    assert seen == list(range(LONG))
    batch = client.batch()
    batch.delete(client.document("runs/extra"))
    batch.update(client.document("runs/d00000"), {"at": 0})
    await batch.commit()


async def test_others_are_served_while_a_long_query_runs(filled: Filled) -> None:
    _, client = filled
    slow = asyncio.create_task(_consume(client.collection("runs").order_by("at").limit(LONG)))
    waits = []
    while not slow.done():
        started = time.monotonic()
        await client.document("runs/d00001").get()
        waits.append(time.monotonic() - started)
    assert await slow == LONG
    assert len(waits) > 20
    assert max(waits) < 1


async def _consume(query: Query) -> int:
    return len(await ids(query))


async def test_a_query_that_finds_little_among_much_does_not_hold_up_others(filled: Filled) -> None:
    server, client = filled
    query = (
        client.collection("runs")
        .where(filter=FieldFilter("at", ">=", 0))
        .where(filter=FieldFilter("cost", ">", 5))
    )
    assert await _consume(query.order_by("at")) == 0
    assert server.stats.listeners == 0


async def test_the_process_stays_small(strict: firestore.AsyncClient, ours: Running) -> None:
    for start in range(0, 2000, 200):
        batch = strict.batch()
        for number in range(start, start + 200):
            batch.set(strict.document(f"big/{number}"), {"n": number, "text": "x" * 2000})
        await batch.commit()
    assert await _consume(strict.collection("big").order_by("n")) == 2000
    assert psutil.Process(ours.process.pid).memory_info().rss < 90 << 20
