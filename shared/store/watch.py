"""Waiting for a document to change, without polling it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from google.api_core import exceptions as api
from google.cloud.firestore_v1._helpers import decode_dict
from google.cloud.firestore_v1.types import ListenRequest, Target

from shared.model.document import Document
from shared.store.counts import count
from shared.store.refs import Ref
from shared.store.store import Store

D = TypeVar("D", bound=Document)


async def wait_for(store: Store, ref: Ref[D], done: Callable[[D], bool], timeout: float) -> D | None:
    """Return the document as soon as ``done`` holds, or its last seen state after ``timeout`` seconds.

    Returns ``None`` when the document was never seen. Uses one Listen stream: the first answer is the
    present state, so nothing is missed between an earlier read and this call.
    """
    seen: D | None = None

    async def follow() -> None:
        nonlocal seen
        async for seen in _versions(store, ref):
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


async def _versions(store: Store, ref: Ref[D]) -> AsyncIterator[D]:
    client = store.client
    reference = client.document(ref.path)
    target = Target(documents=Target.DocumentsTarget(documents=[reference._document_path]), target_id=1)
    request = ListenRequest(database=client._database_string, add_target=target)
    hold_open = asyncio.Event()

    async def requests() -> AsyncIterator[ListenRequest]:
        yield request
        await hold_open.wait()

    stream = await client._firestore_api.listen(
        requests=requests(), metadata=client._rpc_metadata, timeout=None
    )
    try:
        async for response in stream:
            if "document_change" in response:
                count(round_trips=1, reads=1)
                fields = decode_dict(response.document_change.document.fields, client)
                yield ref.model.model_validate(fields)
    finally:
        hold_open.set()
        stream.cancel()
