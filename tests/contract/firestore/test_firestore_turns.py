from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.firestore import transactions as transactions_module
from infra.local.firestore import turns as turns_module
from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.clock import CommitClock
from infra.local.firestore.entries import Indexer
from infra.local.firestore.query.execution import QueryFootprint
from infra.local.firestore.query.parse import parse_query
from infra.local.firestore.refusal import Refusal
from infra.local.firestore.storage import Storage
from infra.local.firestore.store import Store
from infra.local.firestore.transactions import IDLE, LIFETIME, Transactions
from infra.local.firestore.turns import COOLING, Ticket, Turns
from infra.local.firestore.wire import StructuredQuery, Write

ROOT = "projects/p/databases/(default)"


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    storage = Storage(tmp_path / "firestore.db")
    yield Store(storage, Indexer(IndexCatalogue()), CommitClock())
    storage.close()


def set_document(store: Store, name: str) -> None:
    write = Write()
    write.update.name = f"{ROOT}/documents/{name}"
    store.commit(ROOT, [write])


async def test_turns_are_taken_in_the_order_of_asking() -> None:
    turns, tickets = Turns(), [Ticket() for _ in range(4)]
    turns.contend(b"x")
    order: list[int] = []

    async def work(number: int) -> None:
        await turns.take(b"x", tickets[number])
        order.append(number)
        await asyncio.sleep(0)
        turns.end(tickets[number])

    await asyncio.gather(*(work(number) for number in range(4)))
    assert order == [0, 1, 2, 3]


async def test_who_does_not_come_back_holds_up_others_for_a_moment_only() -> None:
    turns, gone, waiting = Turns(), Ticket(), Ticket()
    turns.contend(b"x")
    await turns.take(b"x", gone)
    started = time.monotonic()
    assert await turns.take(b"x", waiting)
    assert turns_module.LEASE * 0.5 < time.monotonic() - started < turns_module.LEASE * 4


async def test_two_who_wait_for_each_other_do_not_wait() -> None:
    turns, one, other = Turns(), Ticket(), Ticket()
    turns.contend(b"x")
    turns.contend(b"y")
    await turns.take(b"x", one)
    await turns.take(b"y", other)
    blocked = asyncio.create_task(turns.take(b"y", one))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(turns.take(b"x", other), 0.05) is False
    turns.end(other)
    assert await asyncio.wait_for(blocked, 0.05) is True


async def test_who_leaves_while_waiting_is_passed_over() -> None:
    turns, first, leaving, last = Turns(), Ticket(), Ticket(), Ticket()
    turns.contend(b"x")
    await turns.take(b"x", first)
    left = asyncio.create_task(turns.take(b"x", leaving))
    stays = asyncio.create_task(turns.take(b"x", last))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.sleep(0)
    turns.end(first)
    assert await asyncio.wait_for(stays, 0.05) is True


async def test_a_document_nobody_quarrels_about_is_forgotten() -> None:
    clock, ticket = Clock(), Ticket()
    turns = Turns(clock)
    turns.contend(b"x")
    await turns.take(b"x", ticket)
    clock.seconds += COOLING + 1
    turns.cool()
    assert len(turns) == 1
    turns.end(ticket)
    turns.cool()
    assert len(turns) == 0


@pytest.mark.parametrize("idle", [True, False])
def test_forgotten_transactions_end_by_themselves(store: Store, idle: bool) -> None:
    clock = Clock()
    open_ = Transactions(store, clock)
    transaction = open_.begin(ROOT, read_only=False)
    if idle:
        clock.seconds += IDLE + 1
    else:
        while clock.seconds < 1000 + LIFETIME:
            clock.seconds += IDLE / 2
            open_.find(transaction.id, ROOT)
        clock.seconds += 1
    with pytest.raises(Refusal, match="expired"):
        open_.find(transaction.id, ROOT)
    assert open_.expire() == 1
    assert open_.expire() == 0


def test_a_transaction_of_another_database_is_unknown(store: Store) -> None:
    open_ = Transactions(store)
    transaction = open_.begin(ROOT, read_only=False)
    with pytest.raises(Refusal, match="no longer valid"):
        open_.find(transaction.id, "projects/other/databases/(default)")


@pytest.mark.parametrize("noted", [1, 20_000])
async def test_a_query_whose_changes_are_not_noted_any_more_counts_as_changed(
    store: Store, monkeypatch: pytest.MonkeyPatch, noted: int
) -> None:
    monkeypatch.setattr(transactions_module, "MAX_LOG", noted)
    open_ = Transactions(store)
    transaction = open_.begin(ROOT, read_only=False)
    await open_.prepare(transaction, [])
    wire = StructuredQuery()
    wire.from_.add(collection_id="c")
    transaction.footprints.append(QueryFootprint(parse_query(f"{ROOT}/documents", wire)))
    for number in range(3):
        set_document(store, f"other/{number}")
    if noted == 1:
        with pytest.raises(Refusal, match="contention"):
            open_.validate(transaction)
    else:
        open_.validate(transaction)
        set_document(store, "c/x")
        with pytest.raises(Refusal, match="contention"):
            open_.validate(transaction)
