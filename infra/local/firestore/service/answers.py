"""Documents as they go over the wire, put together from stored bytes."""

from __future__ import annotations

from collections.abc import Sequence

from infra.local.firestore import fields as field_paths
from infra.local.firestore.storage import Row
from infra.local.firestore.store import parsed
from infra.local.firestore.wire import Document, DocumentMask, framed, timestamp

_NAME = 1


def mask_paths(mask: DocumentMask) -> tuple[field_paths.Path, ...]:
    """The fields of a mask.

    Raises:
        Refusal: INVALID_ARGUMENT when a path is malformed.
    """
    return tuple(field_paths.parse(path) for path in mask.field_paths)


def document_bytes(row: Row, paths: Sequence[field_paths.Path] | None = None) -> bytes:
    """A stored document as a serialized Document, reduced to ``paths`` when given."""
    data = row.data if paths is None else _reduced(row, paths)
    return framed(_NAME, row.name.encode()) + data


def document(row: Row, paths: Sequence[field_paths.Path] | None = None) -> Document:
    """A stored document as a message, reduced to ``paths`` when given."""
    return Document.FromString(document_bytes(row, paths))


def _reduced(row: Row, paths: Sequence[field_paths.Path]) -> bytes:
    whole = parsed(row)
    part = Document(create_time=whole.create_time, update_time=whole.update_time)
    field_paths.project(whole.fields, part.fields, paths)
    return part.SerializeToString()


def moment_bytes(micros: int) -> bytes:
    """A serialized Timestamp."""
    return timestamp(micros).SerializeToString()
