from __future__ import annotations

from google.cloud import firestore

from infra.local.firestore.server import Server
from tests.contract.firestore.asking import Query


async def test_missing_documents_with_something_below_are_listed(db: firestore.AsyncClient) -> None:
    for path in ("a/1", "a/2/s/x", "a/3/s/y", "a/3", "a/__id7__", "a/__id10__", "b/1"):
        await db.document(path).set({"n": 1})
    listed = [reference.id async for reference in db.collection("a").list_documents()]
    assert listed == ["__id7__", "__id10__", "1", "2", "3"]
    stored = [snapshot.id async for snapshot in db.collection("a").stream()]
    assert stored == ["__id7__", "__id10__", "1", "3"]


async def test_collections_are_listed_below_their_document_only(db: firestore.AsyncClient) -> None:
    for path in ("a/1/s/x", "a/1/s/y", "a/1/t/x/u/y", "a/10/v/x"):
        await db.document(path).set({"n": 1})
    assert [collection.id async for collection in db.collections()] == ["a"]
    assert [collection.id async for collection in db.document("a/1").collections()] == ["s", "t"]
    assert [collection.id async for collection in db.document("a/none").collections()] == []


async def test_pages_follow_each_other_without_gaps(db: firestore.AsyncClient) -> None:
    batch = db.batch()
    for number in range(25):
        batch.set(db.document(f"a/d{number:02d}"), {"n": number})
    await batch.commit()
    listed = [reference.id async for reference in db.collection("a").list_documents(page_size=4)]
    assert listed == [f"d{number:02d}" for number in range(25)]


def test_a_collection_is_deleted_with_everything_below(blocking: firestore.Client) -> None:
    for path in ("a/1", "a/1/s/x", "a/2/s/y/t/z", "a0/1", "aa/1"):
        blocking.document(path).set({"n": 1})
    assert blocking.recursive_delete(blocking.collection("a"), chunk_size=2) == 3
    assert [snapshot.reference.path for snapshot in blocking.collection_group("s").stream()] == []
    assert [collection.id for collection in blocking.collections()] == ["a0", "aa"]


async def test_partitions_cover_a_collection_group_once(strict: firestore.AsyncClient) -> None:
    batch = strict.batch()
    for number in range(60):
        batch.set(strict.document(f"p/p{number:02d}/g/x"), {"n": number})
    await batch.commit()
    partitions = [part async for part in strict.collection_group("g").get_partitions(3)]
    queries: list[Query] = [part.query() for part in partitions]  # type: ignore[no-untyped-call]  # the library's
    found = [[snapshot.get("n") async for snapshot in query.stream()] for query in queries]
    assert sorted(number for part in found for number in part) == list(range(60))
    assert [len(part) for part in found] == [15, 15, 15, 15]


async def test_listing_leaps_over_what_lies_below(inside: Server, near: firestore.AsyncClient) -> None:
    batch = near.batch()
    for number in range(300):
        batch.set(near.document(f"a/1/s/d{number}"), {"n": number})
    batch.set(near.document("a/2"), {"n": 1})
    await batch.commit()
    before = inside.stats.rows_read
    assert [reference.id async for reference in near.collection("a").list_documents()] == ["1", "2"]
    assert [collection.id async for collection in near.document("a/1").collections()] == ["s"]
    assert inside.stats.rows_read - before < 12
