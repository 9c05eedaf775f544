"""Walking through every document of a collection, whoever it belongs to.

Only an operator's work does that, such as giving all secrets a new key. It is not a query: it has no
conditions, it can be continued behind any document, and nothing of a request leads here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from google.cloud.firestore_v1.types import query as types

from shared.model.document import Document
from shared.store.counts import count
from shared.store.refs import Ref
from shared.store.store import Found, Store

D = TypeVar("D", bound=Document)

_Query = types.StructuredQuery.pb()
_NAME = "__name__"


async def sweep(
    store: Store,
    collection: str,
    model: type[D],
    *,
    everywhere: bool,
    after: str | None,
    page: int,
    fields: Sequence[str],
) -> list[Found[D]]:
    """Return the next documents in the order of their paths, behind the path ``after``.

    ``everywhere`` means collections of that name below any document. Only ``fields`` (names as stored) are
    read.
    """
    walk = _Query(limit={"value": page})
    walk.from_.add(collection_id=collection, all_descendants=everywhere)
    walk.order_by.add(field={"field_path": _NAME}, direction=types.StructuredQuery.Direction.ASCENDING)
    for name in fields:
        walk.select.fields.add(field_path=name)
    if after is not None:
        walk.start_at.values.add(reference_value=store.calls.name(after))
    documents: list[Any] = list(await store.calls.run_query(walk))
    count(queries=1, round_trips=1, reads=len(documents))
    start = len(store.calls.name(""))
    read = (store.found(Ref(document.name[start:], model), document) for document in documents)
    return [found for found in read if found is not None]
