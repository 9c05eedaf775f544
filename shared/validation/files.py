"""Which files a payload names, and whether a file fits its field (types §5, platform §13.3). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from shared.model.configuration import FormField, Section, fields_of
from shared.model.configuration.fields import FileValue, ObjectArrayValue, ObjectValue
from shared.validation.values import Path, is_empty


class FileValueAt(NamedTuple):
    """A field of a payload that names a file."""

    path: Path
    field: FileValue
    document_id: str


def files_named(
    schema: Iterable[FormField | Section], payload: Mapping[str, object], path: Path = ()
) -> Iterator[FileValueAt]:
    """Yield the files that a payload which fits its schema names, by id or by an object with ``documentId``.

    Other objects are left as they are: whoever calls says where such a file is.
    """
    for field in fields_of(schema):
        value, here = payload.get(field.key), (*path, field.key)
        if is_empty(value):
            continue
        match field:
            case FileValue():
                document_id = value.get("documentId") if isinstance(value, Mapping) else value
                if isinstance(document_id, str):
                    yield FileValueAt(here, field, document_id)
            case ObjectValue() if isinstance(value, Mapping):
                yield from files_named(field.members, value, here)
            case ObjectArrayValue() if isinstance(value, list):
                for index, member in enumerate(value):
                    if isinstance(member, Mapping):
                        yield from files_named(field.members, member, (*here, index))


def misfit(field: FileValue, size: int, mime_type: str, file_name: str) -> str | None:
    """Return why a file does not fit its field, or ``None``. ``size`` is in bytes."""
    if field.max_size is not None and size > field.max_size:
        return f"must not be larger than {field.max_size} bytes"
    allowed = field.allowed_mime_types
    if allowed and not any(_allows(one.strip().lower(), mime_type, file_name.lower()) for one in allowed):
        return f"must be one of {', '.join(allowed)}"
    return None


def _allows(pattern: str, mime_type: str, file_name: str) -> bool:
    """Return whether a media type, one with a wildcard, or an ending of names allows a file."""
    if pattern in ("*", "*/*"):
        return True
    if "/" not in pattern:
        return file_name.endswith(f".{pattern.removeprefix('.')}")
    kind, _, rest = pattern.partition("/")
    return mime_type.startswith(f"{kind}/") if rest == "*" else mime_type == pattern
