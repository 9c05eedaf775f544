"""What a use case declares: its workflows with their triggers, integrations and skills, and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shared.validation.engine.source import NotJson, Source
from shared.validation.engine.workflow import Workflow, object_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is declared: a file, and a character in it."""

    path: str
    offset: int = 0


@dataclass(frozen=True, slots=True)
class DeclaredTrigger:
    """A trigger. ``fields`` holds those that are given, with ``None`` for a value that is computed."""

    place: Place
    type: str | None
    fields: Mapping[str, str | None]
    called_by: Sequence[str] | None = None
    called_by_end: int | None = None
    """Where another name can be added to ``calledBy``."""
    misnamed: Sequence[Place] = ()
    """Entries of the input schema that have a ``name`` and no ``key``."""


@dataclass(frozen=True, slots=True)
class DeclaredWorkflow:
    """A workflow. What cannot be told from the text is ``None``."""

    place: Place
    id: str
    file: str | None
    triggers: Sequence[DeclaredTrigger] | None
    integration_uids: Sequence[str] | None = None
    integration_uids_end: int | None = None


@dataclass(frozen=True, slots=True)
class DeclaredIntegration:
    """A custom integration."""

    place: Place
    id: str
    type: str | None
    secret_keys: Sequence[str]
    metadata_keys: Sequence[str]
    mapped: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class DeclaredSkill:
    """A folder in ``skills/``: its front matter, or ``None`` without a SKILL.md."""

    path: str
    front: Mapping[str, str] | None


@dataclass
class UseCase:
    """A use case. ``files`` holds the texts of all files that are looked at, by path below the folder."""

    files: Mapping[str, str]
    config_path: str | None
    exports: frozenset[str] = frozenset()
    listed: Sequence[str] | None = None
    """Workflow files that the configuration names."""
    workflows: Sequence[DeclaredWorkflow] = ()
    schema_types: Sequence[tuple[Place, str]] = ()
    integrations: Sequence[DeclaredIntegration] = ()
    custom_uids: Sequence[tuple[Place, str]] = ()
    skills: Sequence[DeclaredSkill] = ()
    _parsed: dict[str, Workflow | None] = field(default_factory=dict)

    @cached_property
    def workflow_files(self) -> list[str]:
        """The paths of workflow files, in order."""
        return sorted(path for path in self.files if path.startswith("workflows/") and path.endswith(".json"))

    @cached_property
    def by_id(self) -> Mapping[str, DeclaredWorkflow]:
        """Declared workflows by id."""
        return {workflow.id: workflow for workflow in self.workflows}

    def file_of(self, workflow: DeclaredWorkflow) -> str:
        """Return the path of a workflow's file: what it loads, or the file that is named like it."""
        return workflow.file or f"workflows/{workflow.id}.json"

    def workflow(self, path: str) -> Workflow | None:
        """Return a workflow file that can be read, or ``None``."""
        if path not in self._parsed:
            self._parsed[path] = _workflow(path, self.files.get(path))
        return self._parsed[path]


def _workflow(path: str, text: str | None) -> Workflow | None:
    if text is None:
        return None
    source = Source(path, text)
    try:
        data: Mapping[str, Any] = object_of(source.data)
    except NotJson:
        return None
    return Workflow(source, data) if data else None
