"""Random queries over random documents, answered by the server and by a few lines of plain Python."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import And, BaseCompositeFilter, BaseFilter, FieldFilter, Or

from infra.local.firestore.index_file import IndexEntry
from tests.contract.firestore.asking import Asked, ids
from tests.contract.firestore.servers import Running, async_client, close, served

FIELDS = ("a", "b", "c")
VALUES: tuple[object, ...] = (None, False, True, -1, 0, 0.5, 1, 2, "", "a", "b", [1, "a"], {"k": 1})
Fields = dict[str, object]
Rule = BaseFilter


def rank(value: object) -> tuple[int, Any]:
    """Where a value sorts: by type, then by value."""
    if value is None:
        return 0, 0
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    if isinstance(value, str):
        return 4, value.encode()
    if isinstance(value, list):
        return 8, [rank(item) for item in value]
    assert isinstance(value, dict)
    return 10, [(key, rank(value[key])) for key in sorted(value)]


def fits(fields: Fields, rule: Rule) -> bool:
    """Whether a document fits a filter."""
    if isinstance(rule, And):
        return all(fits(fields, part) for part in rule.filters)
    if isinstance(rule, Or):
        return any(fits(fields, part) for part in rule.filters)
    assert isinstance(rule, FieldFilter)
    if rule.field_path not in fields:
        return False
    value = fields[rule.field_path]
    wanted: Any = rule.value
    comparisons: dict[str, Callable[[], bool]] = {
        "==": lambda: wanted is not None and rank(value) == rank(wanted),
        "in": lambda: any(item is not None and rank(value) == rank(item) for item in wanted),
        "!=": lambda: value is not None and rank(value) != rank(wanted),
        "array_contains": lambda: isinstance(value, list) and rank(wanted) in map(rank, value),
        "<": lambda: _same_type(value, wanted) and rank(value) < rank(wanted),
        ">=": lambda: _same_type(value, wanted) and rank(value) >= rank(wanted),
    }
    return comparisons[rule.op_string]()


def _same_type(value: object, wanted: object) -> bool:
    return wanted is not None and rank(value)[0] == rank(wanted)[0]


def described(rule: Rule | None) -> str:
    """A filter, for whoever reads a failure."""
    if isinstance(rule, BaseCompositeFilter):
        return f"{type(rule).__name__}({', '.join(described(part) for part in rule.filters)})"
    return f"{rule.field_path} {rule.op_string} {rule.value!r}" if isinstance(rule, FieldFilter) else "all"


@dataclass
class Case:
    """A query, and the same in plain terms."""

    rule: Rule | None
    orders: list[tuple[str, bool]]
    limit: int | None
    offset: int
    compared: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return f"{described(self.rule)} orders={self.orders} limit={self.limit} offset={self.offset}"

    def build(self, collection: firestore.AsyncCollectionReference) -> Asked:
        query: Asked = collection if self.rule is None else collection.where(filter=self.rule)
        for name, descending in self.orders:
            query = query.order_by(name, direction="DESCENDING" if descending else "ASCENDING")
        query = query if self.limit is None else query.limit(self.limit)
        return query.offset(self.offset) if self.offset else query

    def expected(self, documents: dict[str, Fields]) -> list[str]:
        orders = list(self.orders)
        last = orders[-1][1] if orders else False
        orders += [(name, last) for name in sorted(self.compared - {name for name, _ in orders})]
        found = [
            name
            for name, fields in documents.items()
            if (self.rule is None or fits(fields, self.rule)) and all(key in fields for key, _ in orders)
        ]
        found.sort(reverse=last)
        for key, descending in reversed(orders):
            found.sort(key=lambda name: rank(documents[name][key]), reverse=descending)
        return found[self.offset :][: self.limit]


def random_case(chance: random.Random) -> Case:
    compared: set[str] = set()

    def leaf() -> FieldFilter:
        name = chance.choice(FIELDS)
        kind = chance.choice(["==", "==", "in", "<", ">=", "array_contains"])
        if kind in ("<", ">="):
            compared.add(name)
        if kind == "in":
            return FieldFilter(name, kind, chance.sample([v for v in VALUES if v is not None], 3))
        return FieldFilter(name, kind, chance.choice([v for v in VALUES if v is not None]))

    rule: Rule | None = None
    shape = chance.random()
    if shape < 0.4:
        rule = leaf()
    elif shape < 0.7:
        rule = And([leaf(), leaf()])
    elif shape < 0.85:
        rule = Or([leaf(), And([leaf(), leaf()])])
    if _array_filters(rule) > 1:
        return random_case(chance)
    orders = [(name, chance.random() < 0.5) for name in chance.sample(FIELDS, chance.choice([0, 0, 1, 2]))]
    limit = chance.choice([None, 1, 3, 10])
    return Case(rule, orders, limit, chance.choice([0, 0, 2]), compared)


def _array_filters(rule: Rule | None) -> int:
    if isinstance(rule, BaseCompositeFilter):
        return sum(_array_filters(part) for part in rule.filters)
    return int(isinstance(rule, FieldFilter) and rule.op_string == "array_contains")


@pytest.fixture(scope="module")
def documents() -> dict[str, Fields]:
    chance = random.Random(7)
    return {
        f"d{number:02d}": {name: chance.choice(VALUES) for name in FIELDS if chance.random() < 0.85}
        for number in range(40)
    }


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    chance = random.Random(20)
    return [random_case(chance) for _ in range(300)]


async def fill(client: firestore.AsyncClient, documents: dict[str, Fields]) -> None:
    batch = client.batch()
    for name, fields in documents.items():
        batch.set(client.document(f"c/{name}"), fields)
    await batch.commit()


async def ask(client: firestore.AsyncClient, case: Case) -> list[str]:
    return await ids(case.build(client.collection("c")))


@pytest.mark.parametrize("backend", ["google"], indirect=True)
async def test_random_queries_return_what_plain_python_returns(
    backend: Running, documents: dict[str, Fields], cases: list[Case]
) -> None:
    client = async_client(backend.host)
    await fill(client, documents)
    for case in cases:
        assert await ask(client, case) == case.expected(documents), str(case)
    await close(client)


async def test_pasting_the_named_indexes_makes_every_random_query_answer_rightly(
    tmp_path: Path, documents: dict[str, Fields], cases: list[Case]
) -> None:
    declared: list[IndexEntry] = []
    open_ = cases
    async with served(tmp_path, {}) as (_, client):
        await fill(client, documents)
    for _ in range(5):
        refused = []
        async with served(tmp_path, {"indexes": declared}) as (_, client):
            for case in open_:
                try:
                    assert await ask(client, case) == case.expected(documents), str(case)
                except exceptions.FailedPrecondition as error:
                    refused.append(case)
                    declared.append(json.loads(error.message[error.message.index("{") :]))
        open_ = refused
    assert not open_
    assert len(declared) > 50
