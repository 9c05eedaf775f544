"""Project notes: living documents of a project, one line of versions per type (platform §19)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document
from shared.model.text import Text


class RevisionStatus(StrEnum):
    """Where a version of a note stands (platform §4)."""

    CURRENT = "current"
    SUPERSEDED = "superseded"


class NoteHead(Document):
    """What the next version of a note builds on.

    ``ordinal`` counts the versions before this one: it sorts them, however large their numbers become.
    """

    document_type_id: str
    version_major: int
    version_minor: int
    version_patch: int
    ordinal: int
    status: RevisionStatus = RevisionStatus.CURRENT


class Note(NoteHead, Text):
    """One version of a note. Only its status ever changes.

    ``content_length`` is in characters.
    """

    id: str
    organization_id: str
    project_id: str
    version: str
    parent_version: str | None = None
    title: str
    summary: str
    agent_id: str | None = None
    content_length: int
    word_count: int
    created_by: str
    created_at: datetime
