"""A workflow as n8n's public API takes and returns it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from pydantic import Field

from shared.model.document import Document

JsonObject = dict[str, object]

NODE_KEYS = frozenset(
    {
        "id",
        "name",
        "webhookId",
        "disabled",
        "notesInFlow",
        "notes",
        "type",
        "typeVersion",
        "executeOnce",
        "alwaysOutputData",
        "retryOnFail",
        "maxTries",
        "waitBetweenTries",
        "continueOnFail",
        "onError",
        "position",
        "parameters",
        "credentials",
    }
)
"""The keys of a node that n8n accepts; any other is refused with 400."""

SETTINGS_KEYS = frozenset(
    {
        "saveExecutionProgress",
        "saveManualExecutions",
        "saveDataErrorExecution",
        "saveDataSuccessExecution",
        "executionTimeout",
        "errorWorkflow",
        "timezone",
        "executionOrder",
        "binaryMode",
        "callerPolicy",
        "callerIds",
        "timeSavedMode",
        "timeSavedPerExecution",
        "redactionPolicy",
        "availableInMCP",
    }
)
"""The keys of a workflow's settings that n8n accepts; any other is refused with 400."""

LONGEST_NAME = 128
"""Characters n8n allows in a workflow's name."""


class WorkflowBody(Document):
    """What is sent to create or replace a workflow (platform §11.4)."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    nodes: list[JsonObject]
    connections: JsonObject
    settings: JsonObject = Field(default_factory=dict)
    static_data: JsonObject | None = None

    @classmethod
    def of(cls, name: str, document: Mapping[str, object]) -> Self:
        """Return the body for an exported workflow: what n8n would refuse as unknown is left out."""
        body = cls.model_validate({**document, "name": name[:LONGEST_NAME]})
        return body.model_copy(
            update={
                "nodes": [_only(NODE_KEYS, node) for node in body.nodes],
                "settings": _only(SETTINGS_KEYS, body.settings),
            }
        )


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


def _only(keys: frozenset[str], document: Mapping[str, object]) -> JsonObject:
    return {key: value for key, value in document.items() if key in keys}
