from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest
from google.api_core import exceptions
from google.cloud import firestore

from infra.local.firestore import wire
from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.entries import MAX_ENTRIES, Indexer
from infra.local.firestore.index_file import FieldEntry, IndexFile, InvalidIndexFile
from infra.local.firestore.names import Place
from infra.local.firestore.refusal import Refusal
from tests.contract.firestore.asking import Asked, Query, ids, value, where
from tests.contract.firestore.servers import INDEXES, served

Ask = Callable[[firestore.AsyncClient], Asked]


REFUSED: dict[str, Ask] = {
    "equality and order": lambda db: where(db.collection("c"), ("a", "==", 1)).order_by("b"),
    "equality and range": lambda db: where(db.collection("c"), ("a", "==", 1), ("b", ">", 1)),
    "two orders": lambda db: db.collection("c").order_by("a").order_by("b"),
    "two ranges": lambda db: where(db.collection("c"), ("a", ">", 1), ("b", ">", 1)),
    "array and equality": lambda db: where(db.collection("c"), ("a", "array_contains", 1), ("b", "==", 1)),
    "array and order": lambda db: where(db.collection("c"), ("a", "array_contains", 1)).order_by("b"),
    "names downwards": lambda db: db.collection("c").order_by("__name__", direction=Query.DESCENDING),
    "name against the order": lambda db: (
        db.collection("c").order_by("a").order_by("__name__", direction=Query.DESCENDING)
    ),
    "alternatives with an order": lambda db: where(db.collection("c"), ("a", "in", [1, 2])).order_by("b"),
    "a declared order the other way round": lambda db: where(
        db.collection("runs"), ("state", "==", "ok")
    ).order_by("at"),
    "a declared index with a column too many": lambda db: (
        db.collection("runs").order_by("at").order_by("cost").order_by("owner")
    ),
    "an exempt field": lambda db: where(db.collection("runs"), ("payload", "==", 1)),
    "a field inside an exempt map": lambda db: where(db.collection("runs"), ("payload.x.y", ">", 1)),
    "order by an exempt field": lambda db: db.collection("runs").order_by("payload"),
    "an array without elements index": lambda db: where(db.collection("runs"), ("at", "array_contains", 1)),
    "a field of a collection group": lambda db: where(db.collection_group("c"), ("a", "==", 1)),
    "a collection group downwards": lambda db: db.collection_group("runs").order_by(
        "at", direction=Query.DESCENDING
    ),
    "an expiry": lambda db: db.collection("sessions").order_by("expiresAt"),
}

ANSWERED: dict[str, Ask] = {
    "equalities": lambda db: where(db.collection("c"), ("a", "==", 1), ("b", "==", 1), ("c.d", "==", 1)),
    "one range both ways": lambda db: where(db.collection("c"), ("a", ">", 1), ("a", "<", 9)),
    "one order": lambda db: db.collection("c").order_by("a", direction=Query.DESCENDING),
    "equality and its own order": lambda db: where(db.collection("c"), ("a", "==", 1)).order_by("a"),
    "an array": lambda db: where(db.collection("c"), ("a", "array_contains", 1)),
    "one of several": lambda db: where(db.collection("c"), ("a", "in", [1, 2]), ("b", "==", 1)),
    "a declared order": lambda db: where(db.collection("runs"), ("state", "==", "ok")).order_by(
        "at", direction=Query.DESCENDING
    ),
    "a declared order for several values": lambda db: where(
        db.collection("runs"), ("state", "in", ["ok", "bad"])
    ).order_by("at", direction=Query.DESCENDING),
    "a declared array": lambda db: where(
        db.collection("runs"), ("tags", "array_contains", 1), ("at", ">", 1)
    ),
    "a declared group": lambda db: where(db.collection_group("runs"), ("state", "==", "ok"), ("at", ">", 1)),
    "a group's field": lambda db: where(db.collection_group("runs"), ("at", ">", 1)),
    "a whole group": lambda db: db.collection_group("c"),
}


@pytest.mark.parametrize("ask", REFUSED.values(), ids=REFUSED)
async def test_a_query_that_production_refuses_names_the_index_that_makes_it_work(
    strict: firestore.AsyncClient, tmp_path: Path, ask: Ask
) -> None:
    with pytest.raises(exceptions.FailedPrecondition, match="The query requires an index") as refused:
        await ids(ask(strict))
    message = refused.value.message
    section, declaration = message.split('"')[1], json.loads(message[message.index("{") :])
    pasted = paste(section, declaration)
    async with served(tmp_path, pasted) as (_, client):
        assert await ids(ask(client)) == []


def paste(section: str, declaration: dict[str, object]) -> IndexFile:
    """The index file with a declaration added, or put in the place of the one for the same field."""
    same = ("collectionGroup", "fieldPath")
    entries = cast(Mapping[str, list[dict[str, object]]], INDEXES)[section]
    others = [
        entry
        for entry in entries
        if section == "indexes" or any(entry.get(key) != declaration[key] for key in same)
    ]
    return cast(IndexFile, {**INDEXES, section: [*others, declaration]})


@pytest.mark.parametrize("ask", ANSWERED.values(), ids=ANSWERED)
async def test_a_query_that_production_answers_is_answered(strict: firestore.AsyncClient, ask: Ask) -> None:
    assert await ids(ask(strict)) == []


async def test_a_sum_wants_its_field_in_the_index(strict: firestore.AsyncClient) -> None:
    query = where(strict.collection("c"), ("a", "==", 1))
    await value(query.count())
    await value(strict.collection("c").sum("b"))
    with pytest.raises(exceptions.FailedPrecondition, match='"b"'):
        await value(query.sum("b"))


async def test_an_exempt_field_is_stored_and_returned_all_the_same(strict: firestore.AsyncClient) -> None:
    payload = {"x": {"y": list(range(1000))}}
    await strict.document("runs/a").set({"payload": payload, "at": 1})
    assert (await strict.document("runs/a").get()).get("payload") == payload
    assert await ids(where(strict.collection("runs"), ("at", "==", 1))) == ["a"]


def test_more_index_entries_than_allowed_are_refused() -> None:
    document = wire.Document()
    numbers = document.fields["payload"].array_value.values
    numbers.extend(wire.Value(integer_value=number) for number in range(MAX_ENTRIES + 1))
    indexer = Indexer(IndexCatalogue(INDEXES))
    with pytest.raises(Refusal, match="index entries"):
        indexer.keys(Place("projects/p/databases/d", "c", "a"), document.fields)
    assert len(indexer.keys(Place("projects/p/databases/d", "runs", "a"), document.fields)) == 2


async def test_a_changed_index_file_holds_for_what_is_stored_already(tmp_path: Path) -> None:
    def declared(*orders: str) -> IndexFile:
        return {
            "indexes": [
                {
                    "collectionGroup": "c",
                    "queryScope": "COLLECTION",
                    "fields": [{"fieldPath": "a", "order": "ASCENDING"}, {"fieldPath": "b", "order": order}],
                }
                for order in orders
            ]
        }

    async with served(tmp_path, {}) as (_, db):
        for number in range(5):
            await db.document(f"c/{number}").set({"a": 1, "b": number})
            await db.document(f"other/{number}").set({"a": 1, "b": number})
        upwards = where(db.collection("c"), ("a", "==", 1)).order_by("b")
    async with served(tmp_path, declared("ASCENDING")) as (server, db):
        upwards = where(db.collection("c"), ("a", "==", 1)).order_by("b")
        assert await ids(upwards) == ["0", "1", "2", "3", "4"]
        await db.document("c/9").set({"a": 1, "b": -1})
    async with served(tmp_path, declared("DESCENDING")) as (server, db):
        downwards = where(db.collection("c"), ("a", "==", 1)).order_by("b", direction=Query.DESCENDING)
        assert await ids(downwards) == ["4", "3", "2", "1", "0", "9"]
        with pytest.raises(exceptions.FailedPrecondition):
            await ids(where(db.collection("c"), ("a", "==", 1)).order_by("b"))
    exempt: IndexFile = {"fieldOverrides": [{"collectionGroup": "c", "fieldPath": "a", "indexes": []}]}
    async with served(tmp_path, exempt) as (server, db):
        entries = server.backend.store.storage.main.execute("SELECT count(*) FROM entries").fetchone()[0]
        assert entries == 6 * 3 + 5 * 4
        assert await ids(where(db.collection("other"), ("a", "==", 1))) == ["0", "1", "2", "3", "4"]
    async with served(tmp_path, {}) as (server, db):
        assert len(await ids(where(db.collection("c"), ("a", "==", 1)))) == 6


@pytest.mark.parametrize(
    "file",
    [
        {"indexes": [{"collectionGroup": "c", "fields": []}]},
        {"indexes": [{"collectionGroup": "c", "fields": [{"fieldPath": "a", "order": "UP"}]}]},
        {"indexes": [{"fields": [{"fieldPath": "a", "order": "ASCENDING"}]}]},
        {"indexes": [{"collectionGroup": "c", "queryScope": "X", "fields": [{"fieldPath": "a"}]}]},
        {"fieldOverrides": [{"collectionGroup": "c", "indexes": []}]},
        ["no object"],
    ],
)
def test_a_malformed_index_file_is_refused_with_its_name(tmp_path: Path, file: object) -> None:
    path = tmp_path / "firestore.indexes.json"
    path.write_text(json.dumps(file))
    with pytest.raises(InvalidIndexFile, match=r"firestore\.indexes\.json"):
        IndexCatalogue.load(path)


def test_an_override_holds_below_a_map_until_a_closer_one() -> None:
    kept: list[FieldEntry] = [{"order": "ASCENDING", "queryScope": "COLLECTION"}]
    catalogue = IndexCatalogue(
        {
            "fieldOverrides": [
                {"collectionGroup": "c", "fieldPath": "*", "indexes": []},
                {"collectionGroup": "c", "fieldPath": "m", "indexes": kept},
                {"collectionGroup": "c", "fieldPath": "m.`x-y`", "indexes": []},
            ]
        }
    )
    group = catalogue.group("c")
    indexed = {
        path: bool(group.rule(path).kept) for path in (("a",), ("m",), ("m", "a", "b"), ("m", "x-y", "z"))
    }
    assert indexed == {("a",): False, ("m",): True, ("m", "a", "b"): True, ("m", "x-y", "z"): False}
