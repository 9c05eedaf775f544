"""A difference in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.ensemble.difference.nodes import NodeChange
from shared.ensemble.difference.parameters import ParameterChange
from shared.ensemble.difference.values import Change, Kind
from shared.ensemble.difference.workflows import WorkflowChange


def summary(
    workflows: Sequence[WorkflowChange],
    parameters: Sequence[ParameterChange],
    details: Sequence[Change],
    files: Sequence[tuple[str, Kind]],
) -> list[str]:
    """Return one line for each thing that differs; lines about a workflow begin with its name."""
    return [
        *(line for workflow in workflows for line in _workflow(workflow)),
        *(_parameter(parameter) for parameter in parameters),
        *(f"{_subject(change.path)} changed: {_values(change)}" for change in details),
        *(f"File {path} {kind}" for path, kind in files),
    ]


def _workflow(workflow: WorkflowChange) -> Iterator[str]:
    name = f"Workflow '{workflow.workflow_name}'"
    if workflow.kind is not Kind.CHANGED:
        yield f"{name} {workflow.kind}"
    for node in workflow.nodes:
        yield f"{name}: {_node(node)}"
    for connection in workflow.connections:
        yield f"{name}: connection {connection.connection} {connection.kind}"
    for what, found in (
        ("settings", workflow.settings),
        ("trigger", workflow.triggers),
        ("interface", workflow.interface),
        ("details", workflow.details),
    ):
        for change in found:
            yield f"{name}: {what} {change.path} changed: {_values(change)}"
    if workflow.file:
        yield f"{name}: file {workflow.file}"


def _node(node: NodeChange) -> str:
    label = f"node '{node.name}' ({node.type.rpartition('.')[2]})"
    if node.kind is not Kind.CHANGED:
        return f"{label} {node.kind}"
    renamed = f"renamed from '{node.previous_name}'" if node.previous_name is not None else ""
    changed = f"changed at {', '.join(change.path for change in node.changes)}" if node.changes else ""
    return f"{label} {' and '.join(part for part in (renamed, changed) if part)}"


def _parameter(parameter: ParameterChange) -> str:
    needs = {
        Kind.ADDED: ", and installations have to be given a value",
        Kind.CHANGED: ", and installations may have to be given another value",
        Kind.REMOVED: ", and its values are no longer used",
    }
    told = needs[parameter.kind] if parameter.breaking else ""
    return f"Parameter {parameter.key} {parameter.kind}{told}"


def _subject(path: str) -> str:
    return path.removeprefix("/")


def _values(change: Change) -> str:
    if change.before is None:
        return f"now {change.after}"
    return f"{change.before} is gone" if change.after is None else f"{change.before} → {change.after}"
