"""Finding one's way in n8n's record of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

Node = dict[str, JsonValue]


def runs_by_node(recorded: JsonValue) -> dict[str, list[Node]]:
    """Return the runs of each node, as they are in the record; what is malformed is left out."""
    at: JsonValue = recorded
    for name in ("data", "resultData", "runData"):
        at = at.get(name) if isinstance(at, dict) else None
    by_node = at if isinstance(at, dict) else {}
    return {
        name: [run for run in runs if isinstance(run, dict)]
        for name, runs in by_node.items()
        if isinstance(runs, list)
    }


def node_runs(recorded: JsonValue) -> list[Node]:
    """Return the runs of all nodes of one recorded run."""
    return [run for runs in runs_by_node(recorded).values() for run in runs]


def attached(node_run: Node) -> list[JsonValue]:
    """Return the records of sub-workflow runs that were attached to a node's run."""
    found = node_run.get("_subExecutions")
    return found if isinstance(found, list) else []


def tree(recorded: JsonValue) -> Iterator[JsonValue]:
    """Yield a recorded run and all that are attached below it."""
    yield recorded
    for node_run in node_runs(recorded):
        for child in attached(node_run):
            yield from tree(child)


def workflow_nodes(recorded: JsonValue) -> dict[str, Mapping[str, JsonValue]]:
    """Return the nodes of the workflow that ran, by name, as far as the record has them."""
    workflow = recorded.get("workflowData") if isinstance(recorded, dict) else None
    nodes = workflow.get("nodes") if isinstance(workflow, dict) else None
    listed = nodes if isinstance(nodes, list) else []
    return {str(node.get("name")): node for node in listed if isinstance(node, dict)}


def children_of(node_run: Node) -> list[str]:
    """Return n8n's ids of the runs that a node's run started, each once."""
    found: list[str] = []

    def walk(value: JsonValue) -> None:
        if isinstance(value, dict):
            sub = value.get("subExecution")
            if isinstance(sub, dict) and isinstance(sub.get("executionId"), str):
                found.append(str(sub["executionId"]))
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(node_run.get("metadata"))
    walk(node_run.get("data"))
    return list(dict.fromkeys(found))
