"""Content-addressed storage of texts and files: what is unchanged is stored once (design §4).

``organizations/{organization}/blobs/{sha256}`` holds the compressed content, or the number of chunk
documents below it. Addresses are scoped to the organization: equal content of two tenants is two
blobs, so that nobody learns what another tenant stores.
"""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Iterable

from shared.model.document import Document
from shared.store.counts import count
from shared.store.refs import Ref
from shared.store.store import Put, Store

CHUNK = 900 * 1024
"""Bytes per document, safely under Firestore's 1 MiB."""


class Blob(Document):
    """Compressed content, or the number of chunk documents that hold it."""

    organization_id: str
    size: int
    chunks: int = 0
    data: bytes | None = None


class BlobChunk(Document):
    """One piece of a large blob."""

    data: bytes


def address(content: bytes) -> str:
    """Return the content's SHA-256 in hex: its address."""
    return hashlib.sha256(content).hexdigest()


def blob_ref(organization_id: str, digest: str) -> Ref[Blob]:
    """Where a blob lives."""
    return Ref(f"organizations/{organization_id}/blobs/{digest}", Blob)


def _chunk_ref(organization_id: str, digest: str, index: int) -> Ref[BlobChunk]:
    return Ref(f"organizations/{organization_id}/blobs/{digest}/chunks/{index:04d}", BlobChunk)


class Blobs:
    """The blobs of all organizations, one organization per call."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, organization_id: str, contents: Iterable[bytes]) -> list[str]:
        """Store what is not there yet; return the address of each content, in order."""
        addressed = [(address(content), content) for content in contents]
        by_address = dict(addressed)
        missing = await self._missing(organization_id, list(by_address))
        await asyncio.gather(*(self._write(organization_id, a, by_address[a]) for a in missing))
        return [digest for digest, _ in addressed]

    async def get(self, organization_id: str, digests: Iterable[str]) -> dict[str, bytes]:
        """Return the contents by address.

        Raises:
            KeyError: a blob does not exist.
        """
        wanted = list(dict.fromkeys(digests))
        if not wanted:
            return {}
        found = await self._store.fetch(*(blob_ref(organization_id, digest) for digest in wanted))
        missing = [digest for digest, blob in zip(wanted, found, strict=True) if blob is None]
        if missing:
            raise KeyError(missing[0])
        pairs = zip(wanted, found, strict=True)
        return {digest: await self._content(organization_id, digest, blob.value) for digest, blob in pairs}

    async def _missing(self, organization_id: str, digests: list[str]) -> list[str]:
        if not digests:
            return []
        count(round_trips=1, reads=len(digests))
        references = [self._store.client.document(blob_ref(organization_id, d).path) for d in digests]
        present = {s.id async for s in self._store.client.get_all(references, ["size"]) if s.exists}
        return [digest for digest in digests if digest not in present]

    async def _write(self, organization_id: str, digest: str, content: bytes) -> None:
        data = await asyncio.to_thread(zlib.compress, content, 6)
        ref = blob_ref(organization_id, digest)
        blob = Blob(organization_id=organization_id, size=len(content))
        if len(data) <= CHUNK:
            await self._store.commit(Put(ref, blob.model_copy(update={"data": data})))
            return
        pieces = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
        for index, piece in enumerate(pieces):
            await self._store.commit(Put(_chunk_ref(organization_id, digest, index), BlobChunk(data=piece)))
        # The head is written last: a blob that is seen is whole.
        await self._store.commit(Put(ref, blob.model_copy(update={"chunks": len(pieces)})))

    async def _content(self, organization_id: str, digest: str, blob: Blob) -> bytes:
        if blob.data is not None:
            return await asyncio.to_thread(zlib.decompress, blob.data)
        refs = [_chunk_ref(organization_id, digest, index) for index in range(blob.chunks)]
        # One chunk per call keeps each answer under gRPC's message limit.
        pieces = [await self._store.get(ref) for ref in refs]
        data = b"".join(piece.value.data for piece in pieces if piece is not None)
        return await asyncio.to_thread(zlib.decompress, data)
