"""Rules of source documents (types §9): a bad one is reported, it does not fail the deploy."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from pydantic import ValidationError

from shared.errors import InvalidConfiguration
from shared.model.configuration import MetadataDocument
from shared.validation.paths import normalised
from shared.validation.problems import of_pydantic

MAX_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDocument:
    """A document of a deploy: its content and where to store it, or why it is refused."""

    relative_path: str
    content_type: str = "application/octet-stream"
    description: str | None = None
    storage_name: str = ""
    content: bytes = field(default=b"", repr=False)
    error: str | None = None


def check_documents(raw: object) -> list[CheckedDocument]:
    """Return each document sent, checked, in order; ``None`` means none.

    Raises :class:`InvalidConfiguration` when ``metadataDocuments`` is no list at all.
    """
    if raw is None:
        return []
    if not isinstance(raw, list):
        reason = "must be a list"
        raise InvalidConfiguration(f"metadataDocuments {reason}.", field="metadataDocuments", reason=reason)
    taken: set[str] = set()
    return [_checked(given, taken) for given in raw]


def check_document(document: MetadataDocument) -> str | None:
    """Return why a document is refused by itself (path, base64, size), or ``None``."""
    return _checked(document, set()).error


def storage_name(path: str) -> str:
    """Return the stored file name of a normalised path: files of one name in two folders differ."""
    digest = hashlib.md5(path.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{path.rpartition('/')[2]}"


def _checked(given: object, taken: set[str]) -> CheckedDocument:
    try:
        document = MetadataDocument.model_validate(given)
    except ValidationError as error:
        path = given.get("relativePath") if isinstance(given, dict) else None
        reason = "; ".join(str(item) for item in of_pydantic(error)) or "must be an object"
        return CheckedDocument(relative_path=path if isinstance(path, str) else "", error=reason)
    try:
        path = normalised(document.relative_path)
        content = _content(document)
        if path in taken:
            raise ValueError("another document has the same path")
    except ValueError as error:
        return CheckedDocument(relative_path=document.relative_path, error=str(error))
    taken.add(path)
    return CheckedDocument(
        relative_path=document.relative_path,
        content_type=document.content_type,
        description=document.description,
        storage_name=storage_name(path),
        content=content,
    )


def _content(document: MetadataDocument) -> bytes:
    """Decode a document. Raises :class:`ValueError` saying what is wrong with it."""
    encoded = document.content_base64
    if len(encoded) // 4 * 3 > MAX_BYTES + 3:
        raise ValueError("the document is larger than 10 MiB")
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("contentBase64 is not valid base64") from None
    if len(content) > MAX_BYTES:
        raise ValueError("the document is larger than 10 MiB")
    return content
