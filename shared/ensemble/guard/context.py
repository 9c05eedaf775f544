"""What a deployment may touch, and where a rule is looking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.ensemble.body import Node, WorkflowBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One deployment's own things in n8n. ``instance_id`` is absent for process-level ingestion.

    ``credentials`` are those the resolver produced, id → name; ``platform_credentials`` the ids of those
    among them that are not the tenant's own; ``workflow_ids`` the n8n ids of the ensemble.
    """

    process_id: str
    instance_id: str | None
    credentials: Mapping[str, str]
    workflow_ids: frozenset[str]
    error_workflow_id: str | None
    platform_credentials: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule broken by a workflow, or by one node of it."""

    rule: str
    workflow: str
    node: str | None
    reason: str

    def __str__(self) -> str:
        where = f"workflow '{self.workflow}'" + (f", node '{self.node}'" if self.node else "")
        return f"{where}: {self.reason}"


Bodies = Mapping[str, WorkflowBody]
"""Workflow template id → body."""


def each_node(bodies: Bodies) -> Iterator[tuple[str, Node]]:
    """Yield every node with its workflow's template id."""
    for workflow, body in bodies.items():
        for node in body["nodes"]:
            yield workflow, node


def static_text(value: object) -> str | None:
    """Return the text n8n sees at run time, or ``None`` when it is computed or no text.

    A leading ``=`` alone makes an expression of constant text.
    """
    if not isinstance(value, str):
        return None
    if not value.startswith("="):
        return value
    return None if "{{" in value else value[1:]
