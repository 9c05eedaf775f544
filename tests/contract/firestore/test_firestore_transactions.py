from __future__ import annotations

import asyncio
import threading
import time
from contextlib import ExitStack

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.contract.firestore.asking import value
from tests.contract.firestore.servers import Running, new_project, sync_client


async def test_a_transaction_writes_what_it_computed_from_its_reads(db: firestore.AsyncClient) -> None:
    document = db.document("a/x")
    await document.set({"n": 1})

    @firestore.async_transactional
    async def double(transaction: firestore.AsyncTransaction) -> int:
        snapshot = await document.get(transaction=transaction)
        transaction.update(document, {"n": snapshot.get("n") * 2})
        return int(snapshot.get("n"))

    assert await double(db.transaction()) == 1
    assert (await document.get()).get("n") == 2


async def test_an_exception_leaves_nothing_behind(db: firestore.AsyncClient) -> None:
    document = db.document("a/x")
    await document.set({"n": 0})

    @firestore.async_transactional
    async def fail(transaction: firestore.AsyncTransaction) -> None:
        await document.get(transaction=transaction)
        transaction.update(document, {"n": 99})
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await fail(db.transaction())
    assert (await document.get()).get("n") == 0


async def test_a_failed_precondition_inside_a_transaction_reaches_the_caller(
    db: firestore.AsyncClient,
) -> None:
    await db.document("a/x").set({"n": 0})

    @firestore.async_transactional
    async def create(transaction: firestore.AsyncTransaction) -> None:
        transaction.create(db.document("a/x"), {"n": 1})
        transaction.set(db.document("a/y"), {"n": 1})

    with pytest.raises(exceptions.AlreadyExists):
        await create(db.transaction())
    assert not (await db.document("a/y").get()).exists


async def test_a_read_only_transaction_sees_one_moment(strict: firestore.AsyncClient) -> None:
    for name in "xy":
        await strict.document(f"a/{name}").set({"n": 1})

    @firestore.async_transactional
    async def look(transaction: firestore.AsyncTransaction) -> list[object]:
        first = await strict.document("a/x").get(transaction=transaction)
        batch = strict.batch()
        batch.set(strict.document("a/x"), {"n": 2})
        batch.set(strict.document("a/y"), {"n": 2})
        batch.delete(strict.document("a/z"))
        await batch.commit()
        second = await strict.document("a/y").get(transaction=transaction)
        query = strict.collection("a").order_by("n")
        third = [snapshot.get("n") async for snapshot in query.stream(transaction=transaction)]
        ones = strict.collection("a").where(filter=FieldFilter("n", "==", 1))
        return [first.get("n"), second.get("n"), *third, await value(ones.count(), transaction)]

    assert await look(strict.transaction(read_only=True)) == [1, 1, 1, 1, 2]


async def test_a_write_between_read_and_commit_makes_the_transaction_start_over(
    strict: firestore.AsyncClient,
) -> None:
    document = strict.document("a/x")
    await document.set({"n": 0})
    seen = []

    @firestore.async_transactional
    async def add(transaction: firestore.AsyncTransaction) -> None:
        snapshot = await document.get(transaction=transaction)
        seen.append(snapshot.get("n"))
        if len(seen) == 1:
            await document.set({"n": 100})
        transaction.update(document, {"n": snapshot.get("n") + 1})

    await add(strict.transaction())
    assert seen == [0, 100]
    assert (await document.get()).get("n") == 101


@pytest.mark.parametrize(
    ("change", "attempts"),
    [
        ({"state": "open", "at": 5}, 2),
        ({"state": "shut", "at": 5}, 1),
        (None, 1),
    ],
    ids=["a new result", "no result", "no change"],
)
async def test_a_transaction_notices_new_results_of_its_queries(
    strict: firestore.AsyncClient, change: dict[str, object] | None, attempts: int
) -> None:
    await strict.document("jobs/a").set({"state": "open", "at": 1})
    tried = []

    @firestore.async_transactional
    async def sum_up(transaction: firestore.AsyncTransaction) -> None:
        query = strict.collection("jobs").where(filter=FieldFilter("state", "==", "open"))
        tried.append([snapshot.id async for snapshot in query.stream(transaction=transaction)])
        if len(tried) == 1 and change is not None:
            await strict.document("jobs/b").set(change)
        transaction.set(strict.document("sums/x"), {"open": len(tried[-1])})

    await sum_up(strict.transaction())
    assert len(tried) == attempts
    assert (await strict.document("sums/x").get()).get("open") == len(tried[-1])


async def test_a_change_behind_the_limit_of_a_query_does_not_matter(strict: firestore.AsyncClient) -> None:
    for number in range(4):
        await strict.document(f"jobs/{number}").set({"at": number})
    tried = []

    @firestore.async_transactional
    async def take(transaction: firestore.AsyncTransaction) -> None:
        query = strict.collection("jobs").order_by("at").limit(2)
        tried.append([snapshot.id async for snapshot in query.stream(transaction=transaction)])
        if len(tried) == 1:
            await strict.document("jobs/3").set({"at": 7})
        transaction.set(strict.document("taken/x"), {"n": 1})

    await take(strict.transaction())
    assert tried == [["0", "1"]]


async def test_eight_writers_increment_one_document_quickly_and_exactly(
    strict: firestore.AsyncClient,
) -> None:
    document = strict.document("a/x")
    await document.set({"n": 0})

    @firestore.async_transactional
    async def add(transaction: firestore.AsyncTransaction) -> None:
        snapshot = await document.get(transaction=transaction)
        transaction.update(document, {"n": snapshot.get("n") + 1})

    async def writer() -> None:
        for _ in range(5):
            await add(strict.transaction())

    started = time.monotonic()
    await asyncio.gather(*(writer() for _ in range(8)))
    assert (await document.get()).get("n") == 40
    assert time.monotonic() - started < 2


def test_eight_threads_with_clients_of_their_own_lose_no_increment(ours: Running) -> None:
    project = new_project()

    def work(client: firestore.Client) -> None:
        @firestore.transactional
        def add(transaction: firestore.Transaction) -> None:
            snapshot = client.document("a/x").get(transaction=transaction)
            transaction.update(client.document("a/x"), {"n": snapshot.get("n") + 1})

        for _ in range(5):
            add(client.transaction())

    with ExitStack() as stack:
        clients = [stack.enter_context(sync_client(ours.host, project)) for _ in range(8)]
        clients[0].document("a/x").set({"n": 0})
        threads = [threading.Thread(target=work, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert clients[0].document("a/x").get().get("n") == 40


async def test_transactions_on_two_documents_in_opposite_order_all_commit(
    strict: firestore.AsyncClient,
) -> None:
    left, right = strict.document("a/left"), strict.document("a/right")
    await left.set({"n": 100})
    await right.set({"n": 100})

    @firestore.async_transactional
    async def move(transaction: firestore.AsyncTransaction, source: object, target: object) -> None:
        assert isinstance(source, firestore.AsyncDocumentReference)
        assert isinstance(target, firestore.AsyncDocumentReference)
        first = await source.get(transaction=transaction)
        second = await target.get(transaction=transaction)
        transaction.update(source, {"n": first.get("n") - 1})
        transaction.update(target, {"n": second.get("n") + 1})

    def mover(source: object, target: object) -> list[object]:
        return [move(strict.transaction(max_attempts=20), source, target) for _ in range(6)]

    await asyncio.gather(*mover(left, right), *mover(right, left))  # type: ignore[call-overload]  # coroutines
    assert (await left.get()).get("n") + (await right.get()).get("n") == 200


async def test_creating_one_document_from_many_sides_succeeds_once(db: firestore.AsyncClient) -> None:
    async def create() -> bool:
        try:
            await db.document("a/x").create({"n": 1})
        except exceptions.AlreadyExists:
            return False
        return True

    assert sum(await asyncio.gather(*(create() for _ in range(12)))) == 1


async def test_increments_without_transactions_are_never_lost(db: firestore.AsyncClient) -> None:
    await db.document("a/x").set({"n": 0})
    await asyncio.gather(*(db.document("a/x").update({"n": firestore.Increment(1)}) for _ in range(30)))
    assert (await db.document("a/x").get()).get("n") == 30


async def test_a_transaction_that_is_over_is_refused(db: firestore.AsyncClient) -> None:
    transaction = db.transaction()
    await transaction._begin()
    identifier = transaction.id
    await transaction._commit()
    again = db.transaction()
    again._id = identifier
    again.set(db.document("a/x"), {"n": 1})
    with pytest.raises(exceptions.InvalidArgument):
        await again._commit()


async def test_a_read_only_transaction_may_not_write(db: firestore.AsyncClient) -> None:
    transaction = db.transaction(read_only=True)
    await transaction._begin()
    transaction._read_only = False
    transaction.set(db.document("a/x"), {"n": 1})
    with pytest.raises(exceptions.InvalidArgument):
        await transaction._commit()
