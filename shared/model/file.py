"""Files that runs hand over (platform §13.3, §15.3, decision 0027)."""

from __future__ import annotations

from shared.model.document import Document


class RunFile(Document):
    """A file that a run uploaded; it is part of the run's record. ``file_size`` is in bytes.

    ``content`` names where its pieces are, ``digest`` is their SHA-256 in hex.
    """

    document_id: str
    file_name: str
    mime_type: str
    file_size: int
    digest: str
    content: str
    field_key: str | None = None
