"""Texts that may be larger than the document they belong to."""

from __future__ import annotations

from shared.model.document import Document


class Text(Document):
    """A document with a text: ``content``, or ``content_blob``, the SHA-256 of a large one."""

    content: str | None = None
    content_blob: str | None = None
