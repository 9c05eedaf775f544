"""Walking through what exists: documents of a collection, collections of a document, partitions."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import islice

from infra.local.firestore import names
from infra.local.firestore.encoding import after
from infra.local.firestore.entries import BY_NAME, prefix
from infra.local.firestore.names import SEPARATOR, path_key
from infra.local.firestore.query.parse import parse_query
from infra.local.firestore.query.planner import plan
from infra.local.firestore.query.plans import Scan
from infra.local.firestore.query.reader import Reader
from infra.local.firestore.query.run import on_thread
from infra.local.firestore.query.scan import count
from infra.local.firestore.query.spans import shifted
from infra.local.firestore.refusal import invalid, unsupported
from infra.local.firestore.service.answers import document_bytes, mask_paths
from infra.local.firestore.service.backend import Backend
from infra.local.firestore.storage import Row
from infra.local.firestore.wire import (
    ListCollectionIdsRequest,
    ListCollectionIdsResponse,
    ListDocumentsRequest,
    PartitionQueryRequest,
    PartitionQueryResponse,
    Value,
    framed,
)

DEFAULT_PAGE = 300
MAX_PAGE = 1000
_DOCUMENTS, _NEXT_PAGE = 1, 2
_NAME = 1


class Listings:
    """The RPCs that enumerate."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def documents(self, request: ListDocumentsRequest) -> bytes:
        """ListDocuments: a page by name, with the missing parents of deeper documents when asked for."""
        root, path = names.parent(request.parent)
        names.check_segment(request.collection_id)
        if request.order_by not in ("", "__name__", "__name__ asc") or _asks_for_the_past(request):
            raise unsupported("ListDocuments lists what is there now, by __name__; use a query.")
        collection = f"{path}/{request.collection_id}" if path else request.collection_id
        paths = mask_paths(request.mask) if request.HasField("mask") else None
        listed = self._walk(root, collection, _unpacked(request.page_token))
        wanted = (entry for entry in listed if request.show_missing or entry[1] is not None)
        page = list(islice(wanted, _page_size(request.page_size) + 1))
        out = b""
        for identifier, row in page[: _page_size(request.page_size)]:
            name = framed(_NAME, f"{root}/documents/{collection}/{identifier}".encode())
            out += framed(_DOCUMENTS, name if row is None else document_bytes(row, paths))
        if len(page) > _page_size(request.page_size):
            out += framed(_NEXT_PAGE, _packed(page[-2][0]).encode())
        return out

    def _walk(self, root: str, collection: str, behind: str | None) -> Iterator[tuple[str, Row | None]]:
        """Ids below a collection in order, with the document or None where only deeper ones exist."""
        base = prefix(root, BY_NAME) + path_key(collection) + SEPARATOR
        low = base if behind is None else _past(base + path_key(behind))
        skipped = len(f"{root}/documents/{collection}/")
        while True:
            row = self._first(low, after(base))
            if row is None:
                return
            identifier, _, deeper = row.name[skipped:].partition("/")
            yield identifier, None if deeper else row
            low = _past(base + path_key(identifier))

    def _first(self, low: bytes, high: bytes | None) -> Row | None:
        store = self._backend.store
        store.stats.rows_read += 1
        found = store.storage.main.execute(
            "SELECT id, name, updated, data FROM documents WHERE key >= ? AND key < ? ORDER BY key LIMIT 1",
            (low, high),
        ).fetchone()
        return None if found is None else Row._make(found)

    async def collection_ids(self, request: ListCollectionIdsRequest) -> bytes:
        """ListCollectionIds: a page of the collections below a document, or of the top ones."""
        if _asks_for_the_past(request):
            raise unsupported("ListCollectionIds lists what is there now.")
        root, path = names.parent(request.parent)
        size = _page_size(request.page_size)
        base = prefix(root, BY_NAME) + (path_key(path) + SEPARATOR if path else b"")
        skipped = len(f"{root}/documents/{path}/") if path else len(f"{root}/documents/")
        behind = _unpacked(request.page_token)
        low = base if behind is None else _past(base + path_key(behind))
        answer = ListCollectionIdsResponse()
        while True:
            row = self._first(low, after(base))
            if row is None:
                break
            if len(answer.collection_ids) == size:
                answer.next_page_token = _packed(answer.collection_ids[-1])
                break
            identifier = row.name[skipped:].partition("/")[0]
            answer.collection_ids.append(identifier)
            low = _past(base + path_key(identifier))
        return answer.SerializeToString()

    async def partitions(self, request: PartitionQueryRequest) -> bytes:
        """PartitionQuery: document names that cut a collection group in parts of about the same size."""
        if _asks_for_the_past(request):
            raise unsupported("PartitionQuery cuts what is there now.")
        query = parse_query(request.parent, request.structured_query)
        if not query.source.descendants or len(query.orders) > 1 or request.partition_count < 1:
            raise invalid("PartitionQuery wants a collection group ordered by __name__ and a positive count.")
        (scan,) = plan(query, self._backend.catalogue)
        if not isinstance(scan, Scan):
            raise invalid("PartitionQuery takes no filters.")
        reader = Reader(self._backend.store.storage.snapshot(), self._backend.store.stats)
        try:
            cuts = await on_thread(reader, _cuts, reader, scan, request.partition_count)
        finally:
            self._backend.store.storage.release(reader.connection)
        answer = PartitionQueryResponse()
        for name in cuts:
            answer.partitions.add(values=[Value(reference_value=name)], before=True)
        return answer.SerializeToString()


def _cuts(reader: Reader, scan: Scan, wanted: int) -> list[str]:
    total = count(reader, scan, None)
    parts = min(wanted, total // 2) + 1
    low, high = shifted(scan.spans, scan.prefixes[0])[0] if scan.spans else (b"", b"")
    cuts = []
    position = 0
    for number in range(1, parts):
        goal = number * total // parts
        found = reader.connection.execute(
            "SELECT e.key, d.name FROM (SELECT key, document FROM entries WHERE key >= ? AND key < ?"
            " ORDER BY key LIMIT 1 OFFSET ?) e JOIN documents d ON d.id = e.document",
            (low, high, goal - position),
        ).fetchone()
        low, position = found[0], goal
        cuts.append(found[1])
    return cuts


def _asks_for_the_past(
    request: ListDocumentsRequest | ListCollectionIdsRequest | PartitionQueryRequest,
) -> bool:
    return request.WhichOneof("consistency_selector") is not None


def _past(key: bytes) -> bytes:
    """Behind the document with this open-ended key and everything below it."""
    return after(key + SEPARATOR) or b""


def _page_size(asked: int) -> int:
    if asked < 0:
        raise invalid("page_size must not be negative.")
    return min(asked or DEFAULT_PAGE, MAX_PAGE)


def _packed(identifier: str) -> str:
    return base64.urlsafe_b64encode(identifier.encode()).decode()


def _unpacked(token: str) -> str | None:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode() if token else None
    except ValueError as error:
        raise invalid("The page_token is not one this method returned.") from error
