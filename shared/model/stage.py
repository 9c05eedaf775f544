"""Stage documents: what a use case is designed with, stage by stage (platform §19)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document
from shared.model.text import Text

STAGES = (1, 2, 3, 4)
"""Each builds on the earlier ones."""


class StageStatus(StrEnum):
    """Where a version of a stage document stands (platform §4)."""

    ACCEPTED = "accepted"
    SUPERSEDED = "superseded"


class Stage(Document):
    """The accepted document of one stage of a project.

    ``ordinal`` counts the versions before it. ``stale``: an earlier stage changed since it was written.
    """

    organization_id: str
    stage: int
    document_id: str
    version: str
    ordinal: int
    stale: bool = False
    updated_at: datetime


class StageDocument(Text):
    """One version of a stage's document. Only its status ever changes."""

    id: str
    organization_id: str
    project_id: str
    stage: int
    version: str
    ordinal: int
    status: StageStatus = StageStatus.ACCEPTED
    title: str
    summary: str
    created_by: str
    created_at: datetime
