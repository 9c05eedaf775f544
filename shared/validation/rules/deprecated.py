"""Layer 1: nodes that n8n has replaced by others (platform §23.3)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.validation.engine.examples import node, one, parent
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow

_BY = {
    "cron": "Schedule Trigger",
    "interval": "Schedule Trigger",
    "start": "Manual Trigger",
    "function": "Code",
    "functionItem": "Code",
    "itemLists": "Split Out, Aggregate, Sort, Limit or Remove Duplicates",
    "htmlExtract": "HTML",
    "iCal": "Convert to File",
    "moveBinaryData": "Convert to File or Extract from File",
    "readBinaryFile": "Read/Write Files from Disk",
    "readBinaryFiles": "Read/Write Files from Disk",
    "writeBinaryFile": "Read/Write Files from Disk",
    "readPDF": "Extract from File",
    "spreadsheetFile": "Convert to File or Extract from File",
    "openAi": "OpenAI of the LangChain nodes",
    "workflowTrigger": "n8n Trigger",
}
_SINCE = {
    "splitInBatches": (3, "version 3, Loop Over Items"),
    "executeWorkflow": (1.2, "version 1.2 or newer, which declares what it hands over"),
}
"""Nodes whose old versions are replaced by newer ones of the same type."""
_PACKAGE = "n8n-nodes-base."


@rule(
    "R11",
    Severity.SHOULD,
    Layer.LINT,
    excluded=True,
    bad=one(lambda: parent(node("Add the total", "function"))),
    good=one(lambda: parent(node("Add the total", "code"))),
)
def nodes_are_current(workflow: Workflow) -> Iterator[Problem]:
    """Nodes are not of a type, or of a version, that n8n has replaced.

    Such nodes still run, and n8n offers them no more. Nobody need change a workflow that works; that is why
    this rule is left out by default.
    """
    for found in workflow.nodes:
        replacement = _replacement(found)
        if replacement is not None:
            yield Problem(
                f'Node "{found.name}" uses deprecated type {found.type}',
                f"Use {replacement} instead.",
                found.at("type"),
                node_id=found.id,
            )


def _replacement(found: Node) -> str | None:
    if not found.type.startswith(_PACKAGE):
        return None
    if found.short_type in _SINCE:
        since, name = _SINCE[found.short_type]
        version = found.data.get("typeVersion", 1)
        return name if isinstance(version, int | float) and version < since else None
    return _BY.get(found.short_type)
