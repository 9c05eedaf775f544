"""Where a run and its sub-workflows went well last, and where they failed."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from shared.executions.records import Node, attached, runs_by_node
from shared.model.document import Document


class Step(Document):
    """A node of a workflow."""

    workflow: str
    node: str


class Trace(Document):
    """Paths from the workflow that was started down to a node; absent when there is none.

    ``failed`` is the deepest of the nodes that failed, the last of them if there are several.
    """

    last_successful: list[Step] | None = None
    failed: list[Step] | None = None


def trace_of(recorded: JsonValue) -> Trace:
    """Return where a recorded run, with what is attached to it, went well last and failed."""
    best: tuple[float, list[Step]] | None = None
    worst: tuple[int, float, list[Step]] | None = None
    for path, run in _walk(recorded, []):
        ended = _number(run.get("startTime")) + _number(run.get("executionTime"))
        if run.get("error") or run.get("executionStatus") == "error":
            if worst is None or (len(path), ended) >= worst[:2]:
                worst = (len(path), ended, path)
        elif best is None or ended >= best[0]:
            best = (ended, path)
    return Trace(last_successful=best[1] if best else None, failed=worst[2] if worst else None)


def _walk(recorded: JsonValue, above: list[Step]) -> Iterator[tuple[list[Step], Node]]:
    workflow = _workflow(recorded)
    for name, runs in runs_by_node(recorded).items():
        for run in runs:
            path = [*above, Step(workflow=workflow, node=name)]
            yield path, run
            for child in attached(run):
                yield from _walk(child, path)


def _workflow(recorded: JsonValue) -> str:
    document = recorded if isinstance(recorded, dict) else {}
    data = document.get("workflowData")
    name = data.get("name") if isinstance(data, dict) else None
    return str(name or document.get("workflowId") or "")


def _number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
