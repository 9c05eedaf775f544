"""Process-level data ingestions: the workflows that embed a process's documents (types §11, platform §18)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.deployment import Lease
from shared.model.document import Document
from shared.model.template import StoredFile


class IngestionStatus(StrEnum):
    """Where a data ingestion stands (platform §4)."""

    PENDING = "pending"
    ACTIVE = "active"
    FAILED = "failed"
    INACTIVE = "inactive"
    SUPERSEDED = "superseded"


class WebhookUrls(Document):
    """The absolute addresses documents are sent to."""

    embed: str
    delete: str


class ActiveDataIngestion(Document):
    """What a process remembers of the data ingestion that is active."""

    data_ingestion_id: str
    version: str
    webhook_urls: WebhookUrls


class EmbeddingFailure(Document):
    """The last document that a data ingestion failed on in n8n; ``count`` is how often it failed so far."""

    doc_id: str | None = None
    message: str
    code: str
    n8n_execution_id: str | None = None
    at: datetime
    count: int = 1


class DataIngestion(Document):
    """One version X.Y of a process's data ingestion, and its workflow in n8n.

    ``user_id`` is the member whose name it is deployed in; ``cost`` is in credits per embedded document.
    ``webhook_urls`` are resolved. ``unsettled``: it failed and may still have traces in n8n.
    """

    data_ingestion_id: str
    organization_id: str
    project_id: str
    process_id: str
    user_id: str
    version: str
    status: IngestionStatus = IngestionStatus.PENDING
    title: str
    """What the process was called when it was deployed: part of the workflow's name in n8n."""
    workflow_template_id: str
    workflow_name: str
    purpose: str = ""
    markdown_info: str | None = None
    cost: float = 0
    workflow_blob: str
    """SHA-256 of the workflow file's text, placeholders unresolved."""
    webhook_urls: WebhookUrls
    n8n_workflow_id: str | None = None
    n8n_version_id: str | None = None
    integration_uses: list[str] = []
    """The integrations it stands on; found by them when one is deleted."""
    replaces_id: str | None = None
    """The data ingestion that is active until this one is."""
    clears: list[str] = []
    """Earlier data ingestions whose traces this one has to remove from n8n first."""
    error: str | None = None
    error_code: str | None = None
    unsettled: bool = False
    leftovers: list[str] = []
    """n8n ids of workflows that it replaced and that are still to be deleted; none of them is live."""
    lease: Lease | None = None
    attempts: int = 0
    last_failure: EmbeddingFailure | None = None
    created_by: str
    created_at: datetime
    completed_at: datetime | None = None


class IngestionVersion(Document):
    """Makes a version number unique within a process's line; a data ingestion that fails gives it back."""

    organization_id: str
    data_ingestion_id: str
    file: StoredFile
