"""The content of a file while it is written, and what is believed of its name and type."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from shared.errors import BodyTooLarge
from shared.services.platform import Platform
from shared.store.files import PIECE, pieces_of

LARGEST_FILE = 100 * 1024 * 1024
"""Bytes (api, callbacks)."""
DEFAULT_TYPE = "application/octet-stream"
_TYPE = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}")


class Written:
    """A content while it is written."""

    def __init__(self, platform: Platform, organization_id: str, content: str, until: datetime) -> None:
        self._files = platform.files
        self._where = organization_id, content
        self._until = until
        self._buffer = bytearray()
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        """The SHA-256 of what was added, in hex."""
        return self._hash.hexdigest()

    async def add(self, piece: bytes) -> None:
        """Add what arrived.

        Raises:
            BodyTooLarge (``FILE_TOO_LARGE``)
        """
        if self.size + len(self._buffer) + len(piece) > LARGEST_FILE:
            raise BodyTooLarge("The file is larger than 100 MB.", code="FILE_TOO_LARGE")
        self._hash.update(piece)
        self._buffer += piece
        while len(self._buffer) >= PIECE:
            await self._write(PIECE)

    async def flush(self) -> None:
        """Write what is left; nothing may be added then."""
        if self._buffer:
            await self._write(len(self._buffer))

    async def take_back(self) -> None:
        """Remove what was written."""
        await self._files.remove(*self._where, pieces_of(self.size))

    async def _write(self, length: int) -> None:
        piece = bytes(self._buffer[:length])
        await self._files.write(*self._where, self.size // PIECE, piece, self._until)
        self.size += length
        del self._buffer[:length]


def name_of(given: str) -> str:
    """Return a file's name without folders."""
    return given.replace("/", "_").replace("\\", "_") or "file"


def type_of(given: str) -> str:
    """Return a media type without parameters; that of unknown bytes when it is none."""
    mime = given.partition(";")[0].strip().lower()
    return mime if _TYPE.fullmatch(mime) else DEFAULT_TYPE
