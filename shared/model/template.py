"""Deployment templates: one immutable version of a use case (platform §3, §10)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document


class TemplateStatus(StrEnum):
    """The only part of a template that ever changes (platform §4)."""

    INACTIVE = "inactive"
    PUBLISHED = "published"
    DEPRECATED = "deprecated"


class StoredFile(Document):
    """A source file of a version. ``blob`` is the SHA-256 of its content; ``size_bytes`` its raw size.

    ``uploaded_at`` is absent when that is the moment its version was made.
    """

    relative_path: str
    storage_path: str
    content_type: str
    size_bytes: int
    blob: str
    description: str | None = None
    uploaded_at: datetime | None = None


class Template(Document):
    """A frozen version X.Y. The configuration, placeholders unresolved, is a content-addressed blob."""

    organization_id: str
    project_id: str
    process_id: str
    version: str
    status: TemplateStatus = TemplateStatus.INACTIVE
    title: str
    release_notes: str | None = None
    configuration_blob: str
    """SHA-256 of the configuration without its workflow files."""
    workflow_blobs: dict[str, str]
    """workflowTemplateId → SHA-256 of the workflow file's text."""
    files: list[StoredFile] = []
    skills_blob: str | None = None
    rollback_of: str | None = None
    """The version it brings back: its content is that one's."""
    created_by: str
    created_at: datetime


class VersionClaim(Document):
    """Makes a version number unique within its process: created once, never changed."""

    organization_id: str
    template_id: str
