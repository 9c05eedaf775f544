"""Running queries on the event loop without holding it up.

A query starts on the main connection and usually is done at once. One that reads more gets a connection
with a snapshot of its own and continues on a worker thread, slice by slice, while commits go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import ParamSpec, TypeVar

from infra.local.firestore.query.execution import results
from infra.local.firestore.query.model import Query
from infra.local.firestore.query.plans import Plan, Scan
from infra.local.firestore.query.reader import OverBudget, Reader
from infra.local.firestore.query.scan import count
from infra.local.firestore.storage import Row
from infra.local.firestore.store import Store

P = ParamSpec("P")
T = TypeVar("T")
_BUDGET = 1000
_SLICE_ROWS = 256
_SLICE_BYTES = 1 << 20


async def slices(
    store: Store, query: Query, plans: Sequence[Plan], at: int | None = None
) -> AsyncGenerator[list[Row]]:
    """The results in order, in lists of bounded size, all of one moment."""
    reader = Reader(store.storage.main, store.stats, _BUDGET)
    found = results(store, reader, query, plans, at)
    try:
        page, more = _take(found)
    except OverBudget:
        page, more = [], True
        found = results(store, reader, query, plans, at)
    if not more:
        yield page
        return
    reader.connection, reader.budget = store.storage.snapshot(), None
    try:
        while more:
            if page:
                yield page
            page, more = await on_thread(reader, _take, found)
        yield page
    finally:
        del found
        store.storage.release(reader.connection)


def _take(found: Iterator[Row]) -> tuple[list[Row], bool]:
    """The next slice, and whether there may be more."""
    page: list[Row] = []
    size = 0
    for row in found:
        page.append(row)
        size += len(row.data)
        if len(page) >= _SLICE_ROWS or size >= _SLICE_BYTES:
            return page, True
    return page, False


async def on_thread(reader: Reader, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Does ``work`` on a thread; cancelled, it stops the reading and waits until it has stopped."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        reader.budget = 0
        reader.connection.interrupt()
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()
        raise


async def counted(store: Store, query: Query, plans: Sequence[Plan]) -> int | None:
    """The number of results, from index entries alone; None when that cannot be told."""
    if len(plans) != 1 or not isinstance(plans[0], Scan) or not plans[0].direct:
        return None
    wanted = None if query.limit is None else query.offset + query.limit
    quick = _BUDGET if wanted is None else min(_BUDGET, wanted)
    total = count(Reader(store.storage.main, store.stats), plans[0], quick)
    if total == _BUDGET and (wanted is None or wanted > _BUDGET):
        reader = Reader(store.storage.snapshot(), store.stats)
        try:
            total = await on_thread(reader, count, reader, plans[0], wanted)
        finally:
            store.storage.release(reader.connection)
    return max(0, total - query.offset)
