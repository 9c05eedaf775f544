"""Reading and writing single documents."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from infra.local.firestore import names
from infra.local.firestore.entries import document_key
from infra.local.firestore.identifiers import auto_id
from infra.local.firestore.refusal import invalid, missing
from infra.local.firestore.service.answers import document_bytes, mask_paths, moment_bytes
from infra.local.firestore.service.backend import Backend, Moment, moment
from infra.local.firestore.storage import Row
from infra.local.firestore.wire import (
    BatchGetDocumentsRequest,
    CreateDocumentRequest,
    DeleteDocumentRequest,
    DocumentMask,
    GetDocumentRequest,
    Precondition,
    UpdateDocumentRequest,
    Write,
    framed,
)

_FOUND, _MISSING, _TRANSACTION, _READ_TIME = 1, 2, 3, 4


class Documents:
    """The RPCs that name their documents."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def _read(self, key: bytes, seen: Moment) -> Row | None:
        row = self._backend.store.read(key, seen.at)
        if seen.recorded is not None:
            seen.recorded.reads.setdefault(key, 0 if row is None else row.updated)
        return row

    async def get(self, request: GetDocumentRequest) -> bytes:
        """GetDocument: NOT_FOUND when there is none."""
        place = names.place(request.name)
        key = document_key(place)
        seen = await moment(self._backend, request, place.root, [key])
        row = self._read(key, seen)
        if row is None:
            raise missing(f'Document "{request.name}" not found.')
        return document_bytes(row, mask_paths(request.mask) if request.HasField("mask") else None)

    async def batch_get(self, request: BatchGetDocumentsRequest) -> AsyncGenerator[bytes]:
        """BatchGetDocuments: every document once, in the order asked for, found or missing."""
        root = names.database(request.database)
        keys = {name: self._key(name, root) for name in request.documents}
        seen = await moment(self._backend, request, root, list(keys.values()))
        paths = mask_paths(request.mask) if request.HasField("mask") else None
        read_time = framed(_READ_TIME, moment_bytes(seen.shown))
        found = [(name, self._read(key, seen)) for name, key in keys.items()]
        if seen.opened:
            yield framed(_TRANSACTION, seen.opened)
        for name, row in found:
            if row is None:
                yield framed(_MISSING, name.encode()) + read_time
            else:
                yield framed(_FOUND, document_bytes(row, paths)) + read_time

    @staticmethod
    def _key(name: str, root: str) -> bytes:
        place = names.place(name)
        if place.root != root:
            raise invalid(f"Document {name[:200]!r} is not in database {root!r}.")
        return document_key(place)

    async def create(self, request: CreateDocumentRequest) -> bytes:
        """CreateDocument: with an id of ours when none is given."""
        root, path = names.parent(request.parent)
        name = "/".join(filter(None, (root, "documents", path, request.collection_id)))
        request.document.name = f"{name}/{request.document_id or auto_id()}"
        write = Write(update=request.document, current_document=Precondition(exists=False))
        return self._written(write, request.mask if request.HasField("mask") else None)

    async def update(self, request: UpdateDocumentRequest) -> bytes:
        """UpdateDocument: the whole document, or what the mask names."""
        write = Write(update=request.document)
        if request.HasField("update_mask"):
            write.update_mask.CopyFrom(request.update_mask)
        if request.HasField("current_document"):
            write.current_document.CopyFrom(request.current_document)
        return self._written(write, request.mask if request.HasField("mask") else None)

    async def delete(self, request: DeleteDocumentRequest) -> bytes:
        """DeleteDocument: also when there is none, unless the precondition wants one."""
        write = Write(delete=request.name)
        if request.HasField("current_document"):
            write.current_document.CopyFrom(request.current_document)
        self._backend.store.commit(names.place(request.name).root, [write])
        return b""

    def _written(self, write: Write, mask: DocumentMask | None) -> bytes:
        place = names.place(write.update.name)
        self._backend.store.commit(place.root, [write])
        row = self._backend.store.read(document_key(place))
        assert row is not None, "a document that was just written exists"
        return document_bytes(row, None if mask is None else mask_paths(mask))
