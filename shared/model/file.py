"""Files that runs are given and hand over (platform §13.3, §15.3, decision 0027)."""

from __future__ import annotations

from datetime import datetime

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


class GivenFile(RunFile):
    """A file that a run was given. ``path`` leads to its id in the payload: names, and indexes of lists."""

    path: list[str | int]


class InputFile(RunFile):
    """A file that was uploaded for runs of an installation to be given, until ``usable_until``."""

    organization_id: str
    process_instance_id: str
    created_at: datetime
    usable_until: datetime
    expire_at: datetime
