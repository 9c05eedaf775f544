"""Differences of two whole versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.ensemble.difference.parameters import ParameterChange, parameter_changes
from shared.ensemble.difference.summary import summary
from shared.ensemble.difference.values import Change, Kind, changes_of
from shared.ensemble.difference.workflows import WorkflowChange, workflow_change
from shared.model.document import Document

Json = Mapping[str, object]

_STATED = (
    "title",
    "subtitle",
    "description",
    "processDeploymentMarkdown",
    "tags",
    "icon",
    "integrationUids",
    "customIntegrations",
    "agent",
    "processType",
    "dataIngestionEndpoint",
)


@dataclass(frozen=True, slots=True)
class Sources:
    """One version as stored: the configuration as sent, the workflow files, other files by their digest.

    ``files`` are source documents and skills: path → what recognises the content, such as its SHA-256.
    """

    configuration: Json
    texts: Mapping[str, str] = field(repr=False)
    files: Mapping[str, str] = field(default_factory=dict)


class FileChange(Document):
    """A source document or a skill that differs."""

    path: str
    kind: Kind


class Difference(Document):
    """What differs.

    ``breaking``: an installation may need other parameter values. ``summary`` has a line for each difference.
    """

    identical: bool
    breaking: bool
    workflows: list[WorkflowChange]
    parameters: list[ParameterChange]
    details: list[Change]
    files: list[FileChange]
    summary: list[str]


def difference(before: Sources, after: Sources) -> Difference:
    """Return what differs from one version to another."""
    workflows = _workflows(before, after)
    parameters = parameter_changes(before.configuration, after.configuration)
    details = changes_of(before.configuration, after.configuration, _STATED)
    files = _files(before.files, after.files)
    return Difference(
        identical=not (workflows or parameters or details or files),
        breaking=any(parameter.breaking for parameter in parameters),
        workflows=workflows,
        parameters=parameters,
        details=details,
        files=files,
        summary=summary(workflows, parameters, details, [(file.path, file.kind) for file in files]),
    )


def _workflows(before: Sources, after: Sources) -> list[WorkflowChange]:
    old, new = _stated(before.configuration), _stated(after.configuration)
    found: list[WorkflowChange] = []
    for name, stated in new.items():
        if name not in old:
            found.append(_only(name, stated, Kind.ADDED))
        elif change := workflow_change(
            name, old[name], stated, before.texts.get(name, ""), after.texts.get(name, "")
        ):
            found.append(change)
    return [*found, *(_only(name, stated, Kind.REMOVED) for name, stated in old.items() if name not in new)]


def _only(name: str, stated: Json, kind: Kind) -> WorkflowChange:
    return WorkflowChange(workflow_id=name, workflow_name=str(stated.get("workflowName", name)), kind=kind)


def _stated(configuration: Json) -> dict[str, Json]:
    listed = configuration.get("workflows")
    workflows = [w for w in listed if isinstance(w, Mapping)] if isinstance(listed, list) else []
    return {str(workflow.get("workflowTemplateId")): workflow for workflow in workflows}


def _files(before: Mapping[str, str], after: Mapping[str, str]) -> list[FileChange]:
    found = [
        FileChange(path=path, kind=Kind.CHANGED if path in before else Kind.ADDED)
        for path, digest in after.items()
        if before.get(path) != digest
    ]
    return [*found, *(FileChange(path=path, kind=Kind.REMOVED) for path in before if path not in after)]
