from __future__ import annotations

import math

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import And, FieldFilter, Or
from google.cloud.firestore_v1.base_vector_query import DistanceMeasure
from google.cloud.firestore_v1.vector import Vector

from tests.contract.firestore.asking import Query, everything, ids, value


@pytest.fixture
async def runs(db: firestore.AsyncClient) -> firestore.AsyncCollectionReference:
    """Ten documents."""
    collection = db.collection("runs")
    batch = db.batch()
    for number in range(10):
        fields = {
            "at": number,
            "state": "failed" if number % 3 == 0 else "ok",
            "owner": f"o{number % 2}",
            "tags": [f"t{number % 3}", f"u{number % 2}"],
            "cost": 10 - number,
            "inner": {"n": number % 4},
        }
        batch.set(collection.document(f"d{number}"), fields)
    await batch.commit()
    return collection


def named(*numbers: int) -> list[str]:
    return [f"d{number}" for number in numbers]


async def test_without_an_order_results_come_by_name(runs: firestore.AsyncCollectionReference) -> None:
    assert await ids(runs) == named(*range(10))


async def test_a_range_is_ordered_by_its_field(runs: firestore.AsyncCollectionReference) -> None:
    query = runs.where(filter=FieldFilter("cost", ">=", 3)).where(filter=FieldFilter("cost", "<", 6))
    assert await ids(query) == named(7, 6, 5)
    assert await ids(query.order_by("cost", direction=Query.DESCENDING)) == named(5, 6, 7)


async def test_order_limit_and_offset_combine(runs: firestore.AsyncCollectionReference) -> None:
    newest = runs.order_by("at", direction=Query.DESCENDING)
    assert await ids(newest.limit(3)) == named(9, 8, 7)
    assert await ids(newest.offset(8)) == named(1, 0)
    assert await ids(newest.offset(2).limit(2)) == named(7, 6)
    assert await ids(newest.limit(0)) == []


async def test_the_last_ones_come_in_their_order(runs: firestore.AsyncCollectionReference) -> None:
    assert [snapshot.id for snapshot in await runs.order_by("at").limit_to_last(2).get()] == named(8, 9)


async def test_a_composite_index_serves_equality_and_order(
    runs: firestore.AsyncCollectionReference,
) -> None:
    failed = runs.where(filter=FieldFilter("state", "==", "failed"))
    assert await ids(failed.order_by("at", direction=Query.DESCENDING).limit(3)) == named(9, 6, 3)


async def test_indexes_with_the_same_order_are_merged(runs: firestore.AsyncCollectionReference) -> None:
    query = runs.where(filter=FieldFilter("state", "==", "failed")).where(
        filter=FieldFilter("owner", "==", "o1")
    )
    assert await ids(query.order_by("at", direction=Query.DESCENDING)) == named(9, 3)


async def test_equalities_need_no_declared_index(runs: firestore.AsyncCollectionReference) -> None:
    query = (
        runs.where(filter=FieldFilter("state", "==", "ok"))
        .where(filter=FieldFilter("owner", "==", "o0"))
        .where(filter=FieldFilter("inner.n", "==", 0))
    )
    assert await ids(query) == named(4, 8)


async def test_ranges_on_two_fields_combine(runs: firestore.AsyncCollectionReference) -> None:
    query = runs.where(filter=FieldFilter("at", ">", 2)).where(filter=FieldFilter("cost", ">", 4))
    assert await ids(query.order_by("at")) == named(3, 4, 5)


async def test_array_filters_look_at_elements(runs: firestore.AsyncCollectionReference) -> None:
    assert await ids(runs.where(filter=FieldFilter("tags", "array_contains", "t0"))) == named(0, 3, 6, 9)
    either = runs.where(filter=FieldFilter("tags", "array_contains_any", ["t0", "u0"]))
    assert await ids(either) == named(0, 2, 3, 4, 6, 8, 9)
    later = runs.where(filter=FieldFilter("tags", "array_contains", "t0")).where(
        filter=FieldFilter("at", ">", 3)
    )
    assert await ids(later) == named(6, 9)


async def test_one_of_several_values_and_none_of_several(runs: firestore.AsyncCollectionReference) -> None:
    assert await ids(runs.where(filter=FieldFilter("at", "in", [7, 1, 7, 99]))) == named(1, 7)
    assert await ids(runs.where(filter=FieldFilter("at", "not-in", [1, 3]))) == named(0, 2, 4, 5, 6, 7, 8, 9)
    assert await ids(runs.where(filter=FieldFilter("at", "!=", 4))) == named(0, 1, 2, 3, 5, 6, 7, 8, 9)


async def test_values_in_a_list_keep_the_order_across_them(
    runs: firestore.AsyncCollectionReference,
) -> None:
    query = runs.where(filter=FieldFilter("state", "in", ["failed", "ok"]))
    newest = query.order_by("at", direction=Query.DESCENDING)
    assert await ids(newest.limit(4)) == named(9, 8, 7, 6)


async def test_alternatives_find_a_document_once(runs: firestore.AsyncCollectionReference) -> None:
    both = And([FieldFilter("state", "==", "failed"), FieldFilter("owner", "==", "o0")])
    query = runs.where(filter=Or([both, FieldFilter("at", "==", 6), FieldFilter("inner.n", "==", 3)]))
    assert await ids(query) == named(0, 3, 6, 7)


async def test_null_and_nan_are_found_by_their_own_filters_only(db: firestore.AsyncClient) -> None:
    for name, stored in {"null": None, "nan": math.nan, "one": 1, "text": "a"}.items():
        await db.document(f"v/{name}").set({"x": stored})
    await db.document("v/none").set({"y": 1})
    collection = db.collection("v")
    assert await ids(collection.where(filter=FieldFilter("x", "==", None))) == ["null"]
    assert await ids(collection.where(filter=FieldFilter("x", "==", math.nan))) == ["nan"]
    assert await ids(collection.where(filter=FieldFilter("x", "<", 5))) == ["one"]
    assert await ids(collection.where(filter=FieldFilter("x", "!=", None))) == ["nan", "one", "text"]
    assert await ids(collection.where(filter=FieldFilter("x", "in", [None, 1]))) == ["one"]


async def test_documents_without_the_ordered_field_are_no_results(db: firestore.AsyncClient) -> None:
    await db.document("v/a").set({"x": 1})
    await db.document("v/b").set({"y": 1})
    assert await ids(db.collection("v").order_by("x")) == ["a"]


async def test_cursors_cut_the_results(runs: firestore.AsyncCollectionReference) -> None:
    ordered = runs.order_by("at")
    assert await ids(ordered.start_at({"at": 2}).end_at({"at": 4})) == named(2, 3, 4)
    assert await ids(ordered.start_after({"at": 2}).end_before({"at": 4})) == named(3)
    fourth = await runs.document("d4").get()
    assert await ids(ordered.start_after(fourth).limit(2)) == named(5, 6)
    failed = runs.where(filter=FieldFilter("state", "==", "failed"))
    newest = failed.order_by("at", direction=Query.DESCENDING)
    assert await ids(newest.start_after(await runs.document("d6").get())) == named(3, 0)


async def test_names_can_be_filtered(runs: firestore.AsyncCollectionReference) -> None:
    two = [runs.document("d2"), runs.document("d1"), runs.document("none")]
    assert await ids(runs.where(filter=FieldFilter("__name__", "in", two))) == named(1, 2)
    later = runs.where(filter=FieldFilter("__name__", ">", runs.document("d7")))
    assert await ids(later) == named(8, 9)
    one = runs.where(filter=FieldFilter("__name__", "==", runs.document("d2")))
    assert await ids(one.where(filter=FieldFilter("state", "==", "failed"))) == []


async def test_a_selection_returns_only_its_fields(runs: firestore.AsyncCollectionReference) -> None:
    found = [snapshot.to_dict() async for snapshot in runs.select(["inner.n", "at"]).limit(2).stream()]
    assert found == [{"inner": {"n": 0}, "at": 0}, {"inner": {"n": 1}, "at": 1}]


async def test_collection_groups_span_parents(db: firestore.AsyncClient) -> None:
    for number, owner in enumerate(("a", "b", "a/deep/c")):
        await db.document(f"owners/{owner}/runs/r").set({"at": number, "state": "ok"})
    await db.document("owners/a/other/r").set({"at": 9})
    group = db.collection_group("runs")
    paths = [snapshot.reference.path async for snapshot in group.stream()]
    assert paths == ["owners/a/deep/c/runs/r", "owners/a/runs/r", "owners/b/runs/r"]
    later = group.where(filter=FieldFilter("at", ">=", 1)).order_by("at")
    assert [snapshot.get("at") async for snapshot in later.stream()] == [1, 2]
    good = group.where(filter=FieldFilter("state", "==", "ok")).order_by("at")
    assert [snapshot.get("at") async for snapshot in good.limit(2).stream()] == [0, 1]


async def test_aggregations_count_sum_and_average(runs: firestore.AsyncCollectionReference) -> None:
    failed = runs.where(filter=FieldFilter("state", "==", "failed"))
    assert await value(failed.count(alias="n")) == 4
    assert await value(runs.limit(3).count()) == 3
    assert await value(runs.offset(8).count()) == 2
    assert await value(runs.sum("cost", alias="s")) == 55
    assert await value(runs.avg("cost", alias="a")) == 5.5
    assert await value(runs.sum("none")) == 0


async def test_a_sum_beyond_64_bits_becomes_a_double(db: firestore.AsyncClient) -> None:
    for number in range(2):
        await db.document(f"v/{number}").set({"x": 2**62})
    assert await value(db.collection("v").sum("x")) == 2.0**63


async def test_the_nearest_vectors_come_first(strict: firestore.AsyncClient) -> None:
    for name, vector in {"a": [1.0, 0.0], "b": [0.0, 1.0], "c": [0.9, 0.2], "d": [1.0]}.items():
        await strict.document(f"v/{name}").set({"x": Vector(vector)})
    nearest = strict.collection("v").find_nearest(
        "x",
        Vector([1.0, 0.1]),
        limit=2,
        distance_measure=DistanceMeasure.EUCLIDEAN,
        distance_result_field="far",
    )
    found = [(snapshot.id, snapshot.get("far")) for snapshot in await everything(nearest)]
    assert [name for name, _ in found] == ["a", "c"]
    assert found[0][1] == pytest.approx(0.1)


@pytest.mark.parametrize(
    "query",
    [
        lambda c: c.where(filter=FieldFilter("x", "in", list(range(31)))),
        lambda c: c.where(filter=FieldFilter("x", "not-in", list(range(11)))),
        lambda c: c.where(filter=FieldFilter("x", "!=", 1)).where(filter=FieldFilter("x", "!=", 2)),
        lambda c: c.where(filter=FieldFilter("x", "array_contains", 1)).where(
            filter=FieldFilter("x", "array_contains", 2)
        ),
        lambda c: c.where(filter=FieldFilter("__name__", "==", "text")),
        lambda c: c.limit(-1),
    ],
    ids=["31 values", "11 exclusions", "two exclusions", "two elements", "name as text", "negative limit"],
)
async def test_queries_that_break_a_rule_are_refused(db: firestore.AsyncClient, query: object) -> None:
    assert callable(query)
    with pytest.raises(exceptions.InvalidArgument):
        await ids(query(db.collection("v")))
