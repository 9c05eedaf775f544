"""Reading ``multipart/form-data`` as it arrives: small fields, then one file that is never whole in memory.

The n8n node builds its body by hand (nodes §7): parts have no length, file names are not escaped.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from shared.errors import InvalidRequest

MOST_PARTS = 20
LONGEST_FIELD = 8 * 1024
_LONGEST_HEADERS = 4 * 1024
_LONGEST_NAME = 255

_BOUNDARY = re.compile(
    rb'multipart/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.I
)
_NAME = re.compile(r';\s*name="([^"]*)"')
_FILE_NAME = re.compile(r';\s*filename="(.*)"\s*$', re.DOTALL)
_UNFIT = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(slots=True)
class _Part:
    """A part that is being read."""

    headers: dict[str, str] = field(default_factory=dict)
    name: str = ""
    file_name: str | None = None
    data: bytearray = field(default_factory=bytearray)


class Form:
    """A form whose fields come before its file. Read the fields, then the file.

    Raises, whatever the bytes are, only:
        InvalidRequest: it is no such form, or larger than a form may be.
        Whatever ``pieces`` raises.
    """

    def __init__(self, content_type: str, pieces: AsyncIterator[bytes]) -> None:
        found = _BOUNDARY.match(content_type.encode("latin-1", "replace"))
        if found is None:
            raise InvalidRequest("Send the file as multipart/form-data.")
        self.fields: dict[str, str] = {}
        self.file_name = ""
        self.mime_type = ""
        self._pieces = pieces
        self._part = _Part()
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._parts = 0
        self._ready: list[bytes] = []
        self._in_file = False
        self._file_over = False
        self._complete = False
        self._parser = MultipartParser(
            found[1] or found[2],
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._done,
            },
            max_header_count=8,
            max_header_size=_LONGEST_HEADERS,
        )

    async def read_fields(self) -> dict[str, str]:
        """Return the fields before the file; the file begins."""
        while not self._in_file and not self._file_over:
            if not await self._advance():
                raise InvalidRequest("The form has no file: its last part must be named file.")
        return self.fields

    async def read_file(self) -> AsyncIterator[bytes]:
        """Yield the file as it arrives; what follows it is read and ignored."""
        while True:
            for piece in self._ready:
                yield piece
            self._ready.clear()
            if not await self._advance():
                break
        for piece in self._ready:
            yield piece
        if not self._complete:
            raise InvalidRequest("The form ends before its closing boundary.")

    async def _advance(self) -> bool:
        piece = await anext(self._pieces, None)
        if piece is None:
            return False
        try:
            self._parser.write(piece)
        except (FormParserError, UnicodeError):
            raise InvalidRequest("The body is not valid multipart/form-data.") from None
        return True

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise InvalidRequest(f"The form has more than {MOST_PARTS} parts.")
        self._part = _Part()

    def _header_end(self) -> None:
        name, value = (part.decode("utf-8", "replace") for part in self._header)
        self._part.headers[name.strip().lower()] = value.strip()
        self._header = (bytearray(), bytearray())

    def _headers_finished(self) -> None:
        part, disposition = self._part, self._part.headers.get("content-disposition", "")
        file_name = _FILE_NAME.search(disposition)
        head = disposition[: file_name.start()] if file_name else disposition
        name = _NAME.search(head)
        part.name = name[1] if name else ""
        part.file_name = _UNFIT.sub("", file_name[1])[-_LONGEST_NAME:] if file_name else None
        if part.file_name is not None and not self._file_over:
            self._in_file = True
            self.file_name, self.mime_type = part.file_name, part.headers.get("content-type", "")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._ready.append(data[start:end])
            return
        self._part.data += data[start:end]
        if len(self._part.data) > LONGEST_FIELD:
            raise InvalidRequest(f"A field of the form is longer than {LONGEST_FIELD} bytes.")

    def _end(self) -> None:
        if self._in_file:
            self._in_file, self._file_over = False, True
        elif not self._file_over:
            self.fields[self._part.name] = self._part.data.decode("utf-8", "replace")

    def _done(self) -> None:
        self._complete = True
