"""What a use case declares: its workflows with their triggers, integrations and skills, and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from shared.validation.engine.source import NotJson, Source
from shared.validation.engine.workflow import Workflow, object_of


class Place(NamedTuple):
    """Where something is declared: a file, and a character in it."""

    path: str
    offset: int = 0


class DeclaredTrigger(NamedTuple):
    """A trigger. ``fields`` holds those that are given, with ``None`` for a value that is computed."""

    place: Place
    type: str | None
    fields: Mapping[str, str | None]
    called_by: Sequence[str] | None = None
    called_by_end: int | None = None
    """Where another name can be added to ``calledBy``."""


class DeclaredWorkflow(NamedTuple):
    """A workflow. What cannot be told from the text is ``None``."""

    place: Place
    id: str
    file: str | None
    triggers: Sequence[DeclaredTrigger] | None
    integration_uids: Sequence[str] | None = None
    integration_uids_end: int | None = None


class DeclaredIntegration(NamedTuple):
    """A custom integration."""

    place: Place
    id: str
    type: str | None
    secret_keys: Sequence[str]
    metadata_keys: Sequence[str]
    mapped: Sequence[str] | None


class DeclaredSkill(NamedTuple):
    """A folder in ``skills/``: its front matter, or ``None`` without a SKILL.md."""

    path: str
    front: Mapping[str, str] | None


class UseCase:
    """A use case. ``files`` holds the texts of all files that are looked at, by path below the folder."""

    def __init__(
        self,
        files: Mapping[str, str],
        config_path: str | None,
        *,
        exports: frozenset[str] = frozenset(),
        listed: Sequence[str] | None = None,
        workflows: Sequence[DeclaredWorkflow] = (),
        schema_types: Sequence[tuple[Place, str]] = (),
        misnamed_inputs: Sequence[Place] = (),
        integrations: Sequence[DeclaredIntegration] = (),
        custom_uids: Sequence[tuple[Place, str]] = (),
        skills: Sequence[DeclaredSkill] = (),
    ) -> None:
        """Take the files and what they declare.

        ``listed`` are the workflow files it names, ``misnamed_inputs`` the entries of input schemas
        that have a ``name`` and no ``key``.
        """
        self.files = files
        self.config_path = config_path
        self.exports = exports
        self.listed = listed
        self.workflows = workflows
        self.schema_types = schema_types
        self.misnamed_inputs = misnamed_inputs
        self.integrations = integrations
        self.custom_uids = custom_uids
        self.skills = skills
        self._sources: dict[str, Source] = {}
        self._parsed: dict[str, Workflow | None] = {}

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
            self._parsed[path] = _workflow(self.source(path)) if path in self.files else None
        return self._parsed[path]

    def source(self, path: str) -> Source:
        """Return a file, which is read only once however many rules look at it; empty without one."""
        if path not in self._sources:
            self._sources[path] = Source(path, self.files.get(path, ""))
        return self._sources[path]


def _workflow(source: Source) -> Workflow | None:
    try:
        data: Mapping[str, Any] = object_of(source.data)
    except NotJson:
        return None
    return Workflow(source, data) if data else None
