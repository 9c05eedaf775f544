"""A workflow as n8n's public API takes and returns it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from shared.model.document import Document

JsonObject = dict[str, object]

LONGEST_NAME = 128
"""Characters n8n allows in a workflow's name."""


class WorkflowBody(Document):
    """What is sent to create or replace a workflow (platform §11.4).

    n8n answers 400 to keys it does not know, also in nodes and settings: ``shared.ensemble`` leaves them out.
    """

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    nodes: list[JsonObject]
    connections: JsonObject
    settings: JsonObject = Field(default_factory=dict)
    static_data: JsonObject | None = None


class WorkflowState(Document):
    """A workflow in n8n. ``version_id`` is the draft, ``active_version_id`` what was asked to be live.

    Neither says that the live version already answers; :func:`shared.n8n.liveness.wait_until_live` does.
    """

    id: str
    name: str
    version_id: str
    active_version_id: str | None = None
    is_archived: bool = False
    trigger_count: int = 0
    created_at: datetime
    updated_at: datetime
    nodes: list[JsonObject] = Field(default_factory=list, repr=False)
    connections: JsonObject = Field(default_factory=dict, repr=False)
    settings: JsonObject = Field(default_factory=dict, repr=False)

    @property
    def published(self) -> bool:
        """Whether some version was asked to be live."""
        return self.active_version_id is not None


class WorkflowVersion(Document):
    """What a version of a workflow consists of; name and settings are not versioned."""

    version_id: str
    nodes: list[JsonObject] = Field(repr=False)
    connections: JsonObject = Field(repr=False)


_UNSET: Mapping[str, object] = {
    "callerIds": "",
    "errorWorkflow": "DEFAULT",
    "executionOrder": "v0",
    "executionTimeout": -1,
    "saveDataErrorExecution": "all",
    "saveDataSuccessExecution": "all",
    "saveExecutionProgress": False,
    "saveManualExecutions": True,
    "timezone": "DEFAULT",
}


def instead_of(previous: Mapping[str, object], settings: Mapping[str, object]) -> JsonObject:
    """Return what to save so that a workflow that has ``previous`` gets exactly these settings.

    n8n keeps every setting that a save does not name, so what is no longer wanted is set to its default.
    """
    dropped = {key: _UNSET[key] for key in previous if key in _UNSET and key not in settings}
    return {**dropped, **settings}
