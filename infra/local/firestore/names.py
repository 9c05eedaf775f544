"""Names of databases, collections and documents, and their sort order.

A document is called ``projects/P/databases/D/documents/C/I/C/I…``. Its *root* is the part up to the
database, its *path* the part after ``documents/``. Paths sort segment by segment: ``a/b`` comes before
``a/b/c``, and that before ``a/b0``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from infra.local.firestore.refusal import invalid

SEPARATOR = b"\x00\x01"
END = b"\x00\x00"
_NUMERIC_MARK = b"\x00\x03"

MAX_SEGMENT_BYTES = 1500
MAX_NAME_BYTES = 6 * 1024
MAX_DEPTH = 100

_DATABASE = re.compile(r"projects/[^/]+/databases/[^/]+")
_NUMERIC_ID = re.compile(r"__id(-?\d{1,19})__")
_MARKER = "/documents"


class Place(NamedTuple):
    """Where a document lives: ``root`` + ``/documents/`` + ``collection`` + ``/`` + ``id``."""

    root: str
    collection: str
    id: str

    @property
    def group(self) -> str:
        """The last segment of the collection's path."""
        return self.collection.rpartition("/")[2]

    @property
    def path(self) -> str:
        """The path below the database."""
        return f"{self.collection}/{self.id}"


def database(name: str) -> str:
    """``name`` itself when it names a database.

    Raises:
        Refusal: INVALID_ARGUMENT when it does not.
    """
    if _DATABASE.fullmatch(name) is None:
        raise invalid(f"Invalid database name: {name!r}. It has the form projects/P/databases/D.")
    return name


def split(name: str) -> tuple[str, str]:
    """The root and the path of a document, or of the root of all documents, whose path is empty.

    Raises:
        Refusal: INVALID_ARGUMENT when ``name`` is not of that form.
    """
    root, marker, path = name.partition(_MARKER)
    if marker and path[:1] in ("", "/") and _is_database(root):
        return root, path[1:]
    raise invalid(f"Invalid resource name: {name[:200]!r}. It starts with projects/P/databases/D/documents.")


@lru_cache(maxsize=256)
def _is_database(root: str) -> bool:
    return _DATABASE.fullmatch(root) is not None


def place(name: str) -> Place:
    """Where the document ``name`` lives.

    Raises:
        Refusal: INVALID_ARGUMENT when a segment is empty, reserved or too long, or the number is odd.
    """
    root, path = split(name)
    segments = path.split("/")
    if len(segments) % 2 or len(name.encode()) > MAX_NAME_BYTES:
        raise invalid(f"Document name {name[:200]!r} has an odd number of segments or is too long.")
    for segment in segments:
        check_segment(segment)
    if len(segments) > 2 * MAX_DEPTH:
        raise invalid(f"Document name is nested deeper than {MAX_DEPTH} collections.")
    collection, _, identifier = path.rpartition("/")
    return Place(root, collection, identifier)


def check_reference(name: str) -> None:
    """Raises INVALID_ARGUMENT when ``name`` cannot be a document of any database."""
    _, path = split(name)
    segments = path.split("/")
    if len(segments) % 2 or not all(segments):
        raise invalid(f"Reference {name[:200]!r} names no document.")


def check_segment(segment: str) -> None:
    """Raises INVALID_ARGUMENT when ``segment`` may not be an id of a collection or a document."""
    if not segment or segment in (".", "..") or "/" in segment:
        raise invalid(f"{segment!r} is not a valid id of a collection or a document.")
    if len(segment) >= 4 and segment[:2] == "__" == segment[-2:] and not _NUMERIC_ID.fullmatch(segment):
        raise invalid(f"Id {segment!r} is reserved: ids must not match __.*__.")
    if len(segment) * 3 > MAX_SEGMENT_BYTES and len(segment.encode()) > MAX_SEGMENT_BYTES:
        raise invalid(f"Id of more than {MAX_SEGMENT_BYTES} bytes.")


def parent(name: str) -> tuple[str, str]:
    """Root and path of a parent: the root of all documents (empty path) or a document.

    Raises:
        Refusal: INVALID_ARGUMENT when it is neither.
    """
    root, path = split(name)
    if path and len(path.split("/")) % 2:
        raise invalid(f"Parent {name[:200]!r} names a collection; a document is wanted.")
    return root, path


def path_key(path: str) -> bytes:
    """``path`` as bytes that compare as the path sorts; open-ended, close it with ``END``."""
    if "__id" in path:
        return SEPARATOR.join(_segment_key(segment) for segment in path.split("/"))
    raw = path.encode()
    if b"\x00" in raw:
        raw = raw.replace(b"\x00", b"\x00\xff")
    return raw.replace(b"/", SEPARATOR)


def _segment_key(segment: str) -> bytes:
    numeric = _NUMERIC_ID.fullmatch(segment)
    if numeric is not None:
        number = int(numeric[1]) + (1 << 63)
        if 0 <= number < 1 << 64:
            return _NUMERIC_MARK + number.to_bytes(8, "big")
    return segment.encode().replace(b"\x00", b"\x00\xff")
