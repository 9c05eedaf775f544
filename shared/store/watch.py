"""Waiting for a document to change, without polling it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

from google.api_core import exceptions as api

from shared.model.document import Document
from shared.store.counts import count
from shared.store.reading import read
from shared.store.refs import Ref
from shared.store.store import Store
from shared.store.values import decode

D = TypeVar("D", bound=Document)


async def wait_for(store: Store, ref: Ref[D], done: Callable[[D], bool], timeout: float) -> D | None:
    """Return the document as soon as ``done`` holds, or its last seen state after ``timeout`` seconds.

    Returns ``None`` when the document was never seen. Uses one Listen stream: the first answer is the
    present state, so nothing is missed between an earlier read and this call.
    """
    seen: D | None = None

    async def follow() -> None:
        nonlocal seen
        async with aclosing(_versions(store, ref)) as versions:
            async for seen in versions:
                if done(seen):
                    return

    try:
        await asyncio.wait_for(follow(), timeout)
    except TimeoutError:
        pass
    except api.GoogleAPICallError:
        found = await store.get(ref)
        seen = found.value if found else seen
    return seen


async def _versions(store: Store, ref: Ref[D]) -> AsyncGenerator[D, None]:
    async with aclosing(store.calls.listen(ref.path)) as documents:
        async for document in documents:
            count(round_trips=1, reads=1)
            yield read(ref.model, ref.path, decode(document.fields))
