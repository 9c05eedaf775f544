"""A run as n8n recorded it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from shared.model.document import Document

JsonObject = dict[str, object]


class N8nStatus(StrEnum):
    """n8n's execution states."""

    NEW = "new"
    """Just created, or held back by n8n's concurrency limit."""
    RUNNING = "running"
    WAITING = "waiting"
    SUCCESS = "success"
    ERROR = "error"
    CANCELED = "canceled"
    CRASHED = "crashed"
    UNKNOWN = "unknown"

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self not in (N8nStatus.NEW, N8nStatus.RUNNING, N8nStatus.WAITING)


class N8nExecution(Document):
    """One n8n execution. ``document`` is n8n's own object, unredacted: never hand it out as it is."""

    id: str
    workflow_id: str
    status: N8nStatus
    mode: str
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    wait_till: datetime | None = None
    workflow_version_id: str | None = None
    custom_data: dict[str, str] = Field(default_factory=dict, repr=False)
    document: JsonObject = Field(default_factory=dict, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _keep_the_document(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {
            **given,
            "id": str(given.get("id")),
            "customData": given.get("customData") or {},
            "document": given,
        }

    @classmethod
    def parse(cls, document: object) -> Self:
        """Return the execution in n8n's JSON object.

        Raises:
            pydantic.ValidationError: it is no execution.
        """
        return cls.model_validate(document)

    def belongs_to(self, execution_id: str) -> bool:
        """Return whether this is the n8n run of the platform's execution ``execution_id``.

        True when Init recorded the id, or when the webhook's body carries it (nodes §3, §4.1). Needs data.
        """
        return execution_id in self.platform_execution_ids()

    def platform_execution_ids(self) -> list[str]:
        """Return the platform's execution ids this run names, the one Init recorded first. Needs data."""
        recorded = self.custom_data.get("codikaExecutionId")
        named = [found for found in _metadata_ids(self.document.get("data")) if isinstance(found, str)]
        return list(dict.fromkeys([recorded, *named] if recorded else named))


def _metadata_ids(document: object) -> Iterator[object]:
    stack = [document]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            metadata = part.get("executionMetadata")
            if isinstance(metadata, dict):
                yield metadata.get("executionId")
            stack.extend(part.values())
        elif isinstance(part, list):
            stack.extend(part)
