"""The base of everything stored or sent: camelCase outside, snake_case inside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer


def camel(name: str) -> str:
    """Return a field's name on the wire: ``n8n_workflow_id`` → ``n8nWorkflowId``."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


class Document(BaseModel):
    """A stored document or a wire object. Unknown fields are ignored, so older code reads newer data."""

    model_config = ConfigDict(alias_generator=camel, populate_by_name=True, extra="ignore")

    def fields(self) -> dict[str, object]:
        """Return the camelCase mapping to store or send; unset optional fields are absent."""
        return self.model_dump(by_alias=True, exclude_none=True)

    def wire(self) -> dict[str, object]:
        """Return the camelCase JSON object to send; unset optional fields are absent (api §1.3)."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Complete(Document):
    """A wire object whose fields are all always there: what is unset is null."""

    def wire(self) -> dict[str, object]:
        """Return the camelCase JSON object to send, nulls included."""
        return self.model_dump(mode="json", by_alias=True)


def iso(moment: datetime) -> str:
    """Return an ISO-8601 UTC timestamp with milliseconds, e.g. ``2026-04-04T10:00:00.000Z`` (api §1.3)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


Timestamp = Annotated[datetime, PlainSerializer(iso, when_used="json")]
"""A moment; on the wire an ISO-8601 UTC text with milliseconds."""
