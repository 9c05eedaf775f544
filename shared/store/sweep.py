"""Walking through every document of a collection, whoever it belongs to.

Only an operator's work does that, such as giving all secrets a new key. It is not a query: it has no
conditions, it can be continued behind any document, and nothing of a request leads here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from google.cloud import firestore

from shared.model.document import Document
from shared.store.counts import count
from shared.store.query import found_in
from shared.store.store import Found, Store

D = TypeVar("D", bound=Document)

_NAME = "__name__"


async def sweep(
    store: Store,
    collection: str,
    model: type[D],
    *,
    everywhere: bool,
    after: str | None,
    page: int,
    fields: Sequence[str] = (),
) -> list[Found[D]]:
    """Return the next documents in the order of their paths, behind the path ``after``.

    ``everywhere`` means collections of that name below any document. With ``fields`` (names as stored) only
    those are read.
    """
    client: Any = store.client
    walk: Any = client.collection_group(collection) if everywhere else client.collection(collection)
    walk = walk.order_by(_NAME, direction=firestore.Query.ASCENDING).limit(page)
    if fields:
        walk = walk.select(list(fields))
    if after is not None:
        walk = walk.start_after({_NAME: client.document(after)})
    found = [found_in(model, snapshot) async for snapshot in walk.stream()]
    count(queries=1, round_trips=1, reads=len(found))
    return found
