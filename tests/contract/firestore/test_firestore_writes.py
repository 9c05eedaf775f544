from __future__ import annotations

import datetime as dt

import pytest
from google.api_core import exceptions
from google.cloud import firestore

from infra.local.firestore import limits, wire
from infra.local.firestore.refusal import Refusal
from tests.contract.firestore.servers import Running, async_client, close, new_project

A_MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)


async def test_values_of_every_type_come_back_as_they_were_written(db: firestore.AsyncClient) -> None:
    document = db.document("a/x")
    written = {
        "integer": 2**62,
        "double": 1.5,
        "boolean": True,
        "nothing": None,
        "bytes": b"\x00\xff",
        "moment": A_MOMENT,
        "point": firestore.GeoPoint(1.0, 2.0),
        "list": [1, "x", {"k": 1}],
        "map": {"x": {"y": [1]}},
        "text": "é\x00\U0001f600",
    }
    await document.set({**written, "other": db.document("a/y")})
    snapshot = await document.get()
    read = snapshot.to_dict() or {}
    assert read.pop("other").path == "a/y"
    assert read == written
    assert snapshot.create_time == snapshot.update_time


async def test_a_missing_document_reads_as_not_existing(db: firestore.AsyncClient) -> None:
    snapshot = await db.document("a/none").get()
    assert not snapshot.exists
    assert snapshot.to_dict() is None


async def test_merging_keeps_what_is_not_named(db: firestore.AsyncClient) -> None:
    document = db.document("a/x")
    await document.set({"a": {"b": 1, "c": 2}, "z": 1})
    await document.set({"a": {"b": 9}}, merge=True)
    await document.update({"a.c": 7, "n": 1})
    await document.set({"z": 5, "ignored": 1}, merge=["z"])  # type: ignore[arg-type]  # a list is documented
    assert (await document.get()).to_dict() == {"a": {"b": 9, "c": 7}, "z": 5, "n": 1}


async def test_a_field_name_with_dots_and_backquotes_is_one_name(db: firestore.AsyncClient) -> None:
    document = db.document("a/x")
    await document.set({"a.b": 1, "c`d\\": 2})
    await document.update({db.field_path("a.b"): 5, db.field_path("c`d\\"): firestore.DELETE_FIELD})
    assert (await document.get()).to_dict() == {"a.b": 5}


async def test_deleting_fields_leaves_their_neighbours(db: firestore.AsyncClient) -> None:
    document = db.document("a/x")
    await document.set({"a": 1, "b": {"c": 1, "d": 2}})
    await document.update({"a": firestore.DELETE_FIELD, "b.c": firestore.DELETE_FIELD})
    assert (await document.get()).to_dict() == {"b": {"d": 2}}


async def test_updating_a_missing_document_is_not_found(db: firestore.AsyncClient) -> None:
    with pytest.raises(exceptions.NotFound):
        await db.document("a/none").update({"a": 1})


async def test_creating_a_document_twice_is_refused(db: firestore.AsyncClient) -> None:
    await db.document("a/x").create({"a": 1})
    with pytest.raises(exceptions.AlreadyExists):
        await db.document("a/x").create({"a": 2})
    assert (await db.document("a/x").get()).to_dict() == {"a": 1}


async def test_deleting_with_a_precondition_wants_the_document(db: firestore.AsyncClient) -> None:
    with pytest.raises(exceptions.NotFound):
        await db.document("a/none").delete(option=db.write_option(exists=True))
    await db.document("a/none").delete()


async def test_a_write_based_on_an_old_version_is_refused(db: firestore.AsyncClient) -> None:
    document = db.document("a/x")
    await document.set({"a": 1})
    old = (await document.get()).update_time
    await document.set({"a": 2})
    with pytest.raises(exceptions.FailedPrecondition):
        await document.update({"a": 3}, option=db.write_option(last_update_time=old))
    new = (await document.get()).update_time
    await document.update({"a": 4}, option=db.write_option(last_update_time=new))
    assert (await document.get()).get("a") == 4


async def test_a_write_that_changes_nothing_keeps_the_version(db: firestore.AsyncClient) -> None:
    document = db.document("a/x")
    first = await document.set({"a": 1})
    second = await document.set({"a": 1})
    assert first.update_time == second.update_time == (await document.get()).update_time


async def test_a_batch_with_one_bad_write_writes_nothing(db: firestore.AsyncClient) -> None:
    batch = db.batch()
    batch.set(db.document("a/1"), {"v": 1})
    batch.update(db.document("a/none"), {"v": 2})
    with pytest.raises(exceptions.NotFound):
        await batch.commit()
    assert not (await db.document("a/1").get()).exists


async def test_a_batch_sees_its_own_earlier_writes(db: firestore.AsyncClient) -> None:
    batch = db.batch()
    batch.set(db.document("a/1"), {"v": 1})
    batch.update(db.document("a/1"), {"w": 2})
    results = await batch.commit()
    assert results[0].update_time == results[1].update_time
    assert (await db.document("a/1").get()).to_dict() == {"v": 1, "w": 2}


async def test_all_writes_of_a_batch_carry_the_same_time(db: firestore.AsyncClient) -> None:
    batch = db.batch()
    for number in range(3):
        batch.set(db.document(f"a/{number}"), {"at": firestore.SERVER_TIMESTAMP})
    await batch.commit()
    snapshots = [await db.document(f"a/{number}").get() for number in range(3)]
    assert len({snapshot.update_time for snapshot in snapshots}) == 1
    assert len({snapshot.get("at") for snapshot in snapshots}) == 1


async def test_the_server_time_has_milliseconds(db: firestore.AsyncClient) -> None:
    await db.document("a/x").set({"at": firestore.SERVER_TIMESTAMP})
    at = (await db.document("a/x").get()).get("at")
    assert at.microsecond % 1000 == 0
    assert abs((dt.datetime.now(dt.UTC) - at).total_seconds()) < 5


@pytest.mark.parametrize(
    ("stored", "transform", "expected"),
    [
        (1, firestore.Increment(5), 6),
        (1, firestore.Increment(0.5), 1.5),
        ("text", firestore.Increment(5), 5),
        (None, firestore.Increment(5), 5),
        (2**63 - 1, firestore.Increment(1), 2**63 - 1),
        (-(2**63), firestore.Increment(-1), -(2**63)),
        (1, firestore.Maximum(3), 3),
        (5, firestore.Maximum(3), 5),
        (5, firestore.Minimum(3), 3),
        ("text", firestore.Minimum(3), 3),
        ([1, 2], firestore.ArrayUnion([2, 3, 3]), [1, 2, 3]),
        ("text", firestore.ArrayUnion([1]), [1]),
        ([1, 2, 1], firestore.ArrayRemove([1]), [2]),
        (5, firestore.ArrayRemove([1]), []),
    ],
)
async def test_a_transform_starts_from_what_is_stored(
    db: firestore.AsyncClient, stored: object, transform: object, expected: object
) -> None:
    await db.document("a/x").set({"v": stored, "kept": 1})
    await db.document("a/x").update({"v": transform, "new": 2})
    assert (await db.document("a/x").get()).to_dict() == {"v": expected, "kept": 1, "new": 2}


@pytest.mark.parametrize(
    "fields",
    [
        {"a": "x" * (1 << 20)},
        {f"f{number}": "x" * 100_000 for number in range(11)},
    ],
    ids=["one value", "many values"],
)
async def test_a_document_larger_than_one_mebibyte_is_refused(
    db: firestore.AsyncClient, fields: dict[str, object]
) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await db.document("a/x").set(fields)


def test_small_values_count_for_more_than_their_bytes_on_the_wire() -> None:
    document = wire.Document()
    numbers = document.fields["numbers"].array_value.values
    numbers.extend([wire.Value(integer_value=1)] * (1 << 17))
    assert document.ByteSize() < limits.MAX_DOCUMENT_BYTES
    with pytest.raises(Refusal, match="exceeds the maximum"):
        limits.check_size("a/x", document.fields, document.ByteSize())


async def test_a_document_just_below_one_mebibyte_is_kept(db: firestore.AsyncClient) -> None:
    await db.document("a/x").set({"a": "x" * 1_048_400})
    assert len((await db.document("a/x").get()).get("a")) == 1_048_400


@pytest.mark.parametrize(
    "fields",
    [{"__x__": 1}, {"m": {"__x__": 1}}, {"a": [[1]]}, {"m": {"a": [[1]]}}, {"n" * 1501: 1}],
    ids=["reserved", "reserved inside", "nested array", "nested array inside", "long"],
)
async def test_fields_that_break_a_rule_are_refused(
    db: firestore.AsyncClient, fields: dict[str, object]
) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await db.document("a/x").set(fields)


@pytest.mark.parametrize(("levels", "fits"), [(20, True), (21, False)])
async def test_maps_nest_twenty_levels_deep(db: firestore.AsyncClient, levels: int, fits: bool) -> None:
    value: object = 1
    for _ in range(levels):
        value = {"m": value}
    if fits:
        await db.document("a/x").set({"v": value})
    else:
        with pytest.raises(exceptions.InvalidArgument):
            await db.document("a/x").set({"v": value})


@pytest.mark.parametrize("identifier", [".", "..", "__x__", "x" * 1501])
async def test_ids_that_break_a_rule_are_refused(db: firestore.AsyncClient, identifier: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await db.document(f"a/{identifier}").set({"a": 1})


async def test_a_named_database_is_a_world_of_its_own(backend: Running) -> None:
    project = new_project()
    default, named = async_client(backend.host, project), async_client(backend.host, project, "other")
    await named.document("a/x").set({"a": 1})
    assert not (await default.document("a/x").get()).exists
    assert (await named.document("a/x").get()).to_dict() == {"a": 1}
    await close(default)
    await close(named)


async def test_many_documents_are_read_at_once_with_the_missing_ones(db: firestore.AsyncClient) -> None:
    await db.document("a/1").set({"v": 1})
    references = [db.document("a/1"), db.document("a/2")]
    found = {snapshot.id: snapshot.exists async for snapshot in db.get_all(references)}
    assert found == {"1": True, "2": False}


async def test_reading_a_few_fields_leaves_the_others_out(db: firestore.AsyncClient) -> None:
    await db.document("a/1").set({"v": 1, "m": {"x": 1, "y": 2}, "w": 3})
    assert (await db.document("a/1").get(["m.x", "w", "none"])).to_dict() == {"m": {"x": 1}, "w": 3}


async def test_a_document_is_read_as_it_was(db: firestore.AsyncClient) -> None:
    document = db.document("a/x")
    await document.set({"n": 1})
    then = (await document.get()).read_time
    await document.set({"n": 2})
    assert (await document.get(read_time=then)).get("n") == 1
    await document.delete()
    assert (await document.get(read_time=then)).get("n") == 1


async def test_bulk_writes_land_one_by_one(blocking: firestore.Client) -> None:
    writer = blocking.bulk_writer()
    for number in range(100):
        writer.set(blocking.document(f"a/{number}"), {"n": number})
    writer.close()  # type: ignore[no-untyped-call]  # the library's
    assert len(list(blocking.collection("a").stream())) == 100
