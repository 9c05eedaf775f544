"""The contents of files, written and read in pieces: no file is ever whole in memory (decision 0027)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from shared.model.document import Document
from shared.store.refs import Ref
from shared.store.store import Delete, Put, Store

PIECE = 900 * 1024
"""Bytes per document, safely under Firestore's 1 MiB."""


class Files(Protocol):
    """Where the contents of files are, each below its organization."""

    async def write(
        self, organization_id: str, content: str, index: int, piece: bytes, until: datetime
    ) -> None:
        """Keep a piece until then. It has :data:`PIECE` bytes, the last one at most that many."""
        ...

    def read(self, organization_id: str, content: str, size: int) -> AsyncIterator[bytes]:
        """Yield the pieces of a content of ``size`` bytes.

        Raises:
            KeyError: a piece is not there any more.
        """
        ...

    async def remove(self, organization_id: str, content: str, pieces: int) -> None:
        """Remove the first ``pieces`` pieces of a content."""
        ...


class FilePiece(Document):
    """One piece."""

    data: bytes
    expire_at: datetime


class FirestoreFiles(Files):
    """Pieces as documents, which Firestore encrypts at rest like everything else."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def write(
        self, organization_id: str, content: str, index: int, piece: bytes, until: datetime
    ) -> None:
        """Keep a piece; see :meth:`Files.write`."""
        kept = FilePiece(data=piece, expire_at=until)
        await self._store.commit(Put(_ref(organization_id, content, index), kept))

    async def read(self, organization_id: str, content: str, size: int) -> AsyncIterator[bytes]:
        """Yield the pieces; see :meth:`Files.read`."""
        for index in range(pieces_of(size)):
            found = await self._store.get(_ref(organization_id, content, index))
            if found is None:
                raise KeyError(content)
            yield found.value.data

    async def remove(self, organization_id: str, content: str, pieces: int) -> None:
        """Remove pieces; see :meth:`Files.remove`."""
        for index in range(pieces):
            await self._store.commit(Delete(_ref(organization_id, content, index)))


def pieces_of(size: int) -> int:
    """Return how many pieces a content of ``size`` bytes has."""
    return -(-size // PIECE)


def _ref(organization_id: str, content: str, index: int) -> Ref[FilePiece]:
    return Ref(f"organizations/{organization_id}/files/{content}/chunks/{index:04d}", FilePiece)
