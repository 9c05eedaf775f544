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
        """Return whether this is the n8n run of the platform's execution ``execution_id``. Needs data."""
        return execution_id == self.platform_execution_id

    @property
    def platform_execution_id(self) -> str | None:
        """The platform's execution this run belongs to: what Init recorded, else what the platform sent.

        Of what a run holds callers write most, at any depth. The platform's own word is at the top of the
        body that the webhook was called with (nodes §3, §4.1); nothing else is believed. Needs data.
        """
        recorded = self.custom_data.get("codikaExecutionId")
        if recorded or self.mode not in _CALLED:
            return recorded
        return next(_sent(self.document.get("data")), None)


_CALLED = ("webhook", "retry")
"""Modes of runs that a call of a webhook started."""


def _sent(data: object) -> Iterator[str]:
    """Yield the execution ids that a run's trigger was called with."""
    for item in _trigger_items(data):
        json = item.get("json")
        outer = json if isinstance(json, dict) else {}
        # A trigger that passes the body on as it is has the platform's word at the top, and a caller's below.
        for body in (outer, outer.get("body")):
            metadata = body.get("executionMetadata") if isinstance(body, dict) else None
            named = metadata.get("executionId") if isinstance(metadata, dict) else None
            if isinstance(named, str):
                yield named
                break


def _trigger_items(data: object) -> Iterator[JsonObject]:
    """Yield the items a run began with: those of nodes that no other node handed anything."""
    by_node = _at(data, "resultData", "runData")
    runs = [run for runs in by_node.values() for run in _list(runs)] if isinstance(by_node, dict) else []
    for run in [*runs, *_list(_at(data, "executionData", "nodeExecutionStack"))]:
        if isinstance(run, dict) and not run.get("source"):
            for output in _list(_at(run, "data", "main")):
                yield from (item for item in _list(output) if isinstance(item, dict))


def _at(document: object, *names: str) -> object:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
