"""Layer 2: what makes a workflow one that the platform can start and follow (platform §23.4)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.validation.engine.examples import INIT, SUBMIT, chain, node, one, parent, webhook, written
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow, list_of, object_of, reachable, text_of

_BEGINNINGS = ("initWorkflow", "initDataIngestion")
ENDINGS = ("submitResult", "reportError", "ingestionCallback")
"""Operations that tell the platform how a run ended."""

ONE_INPUT = {"workflowInputs": {"values": [{"name": "order"}]}}
_SCHEDULE = node("Every morning", "scheduleTrigger")


def begins(found: Node) -> bool:
    """Return whether a node begins a run on the platform."""
    return found.is_codika and found.operation in _BEGINNINGS


def ends(found: Node) -> bool:
    """Return whether a node tells the platform how a run ended."""
    return found.is_codika and found.operation in ENDINGS


@rule(
    "CODIKA-INIT",
    Severity.MUST,
    Layer.GRAPH,
    bad=one(lambda: chain(webhook(), node("Add the total", "set"))),
    good=one(lambda: parent(node("Add the total", "set"))),
)
def has_init(workflow: Workflow) -> Iterator[Problem]:
    """A workflow that is not called by others has a Codika Init node.

    It gives the run its identity on the platform: without it nothing of the run is tracked.
    """
    if workflow.nodes and not workflow.is_subworkflow and not any(map(begins, workflow.nodes)):
        yield Problem(
            "Workflow is missing a Codika Init node",
            "Add a Codika node with the operation initWorkflow (or initDataIngestion) after the trigger. "
            "Sub-workflows need none.",
            "/nodes",
        )


@rule(
    "CODIKA-SUBMIT",
    Severity.MUST,
    Layer.GRAPH,
    bad=one(lambda: chain(webhook(), INIT, node("Add the total", "set"))),
    good=one(lambda: parent(node("Add the total", "set"))),
)
def every_path_ends(workflow: Workflow) -> Iterator[Problem]:
    """Every path from an Init node ends in Submit Result, Report Error or Ingestion Callback.

    A path that ends elsewhere leaves its run pending until it times out.
    """
    if workflow.is_subworkflow:
        return
    reached = reachable(filter(begins, workflow.nodes), workflow.after)
    open_ends = [
        found
        for found in workflow.nodes
        if found.index in reached
        and not workflow.after(found)
        and not begins(found)
        and not ends(found)
        and "stickynote" not in found.lower_type
    ]
    if open_ends:
        names = ", ".join(f'"{found.name}"' for found in open_ends)
        yield Problem(
            f"Paths end without Submit Result or Report Error: {names}",
            "Connect each of these nodes to a Submit Result (success) or Report Error (failure) node.",
            open_ends[0].at(),
            node_id=open_ends[0].id,
        )


@rule(
    "SUBWKFL-MIN-PARAMS",
    Severity.MUST,
    Layer.GRAPH,
    bad=one(lambda: chain(node("Called", "executeWorkflowTrigger", {"inputSource": "passthrough"}))),
    good=one(lambda: chain(node("Called", "executeWorkflowTrigger", ONE_INPUT))),
)
def subworkflow_takes_input(workflow: Workflow) -> Iterator[Problem]:
    """A sub-workflow declares at least one input.

    What passes everything through takes whatever its callers happen to hold, and breaks when they change.
    """
    for found in workflow.nodes:
        if "executeworkflowtrigger" in found.lower_type and not _inputs(found):
            yield Problem(
                f'Sub-workflow trigger "{found.name}" declares no input',
                "Define at least one input in workflowInputs.values.",
                found.at("parameters"),
                node_id=found.id,
            )


def _inputs(found: Node) -> int:
    given = found.parameters
    values = list_of(object_of(given.get("workflowInputs")).get("values"))
    if not values and text_of(given.get("inputSource")) == "defineBelow":
        values = list_of(object_of(given.get("schema")).get("values"))
    return len(values)


@rule(
    "SCHEDULE-WEBHOOK-CONVERGENCE",
    Severity.MUST,
    Layer.GRAPH,
    bad=one(lambda: chain(_SCHEDULE, INIT, SUBMIT)),
    good=one(
        lambda: written(
            [_SCHEDULE, webhook(), INIT, SUBMIT],
            {
                "Every morning": ["Codika Init"],
                "Orders arrive": ["Codika Init"],
                "Codika Init": ["Submit Result"],
            },
        )
    ),
)
def schedule_meets_webhook(workflow: Workflow) -> Iterator[Problem]:
    """A scheduled workflow has a webhook as well, and both lead to the same node.

    The webhook is what *Run now* calls; what it starts must be what the schedule starts.
    """
    schedules = [found for found in workflow.nodes if "scheduletrigger" in found.lower_type]
    webhooks = [
        found
        for found in workflow.nodes
        if "webhook" in found.lower_type and "respondtowebhook" not in found.lower_type
    ]
    by_webhooks = {after.index for found in webhooks for after in workflow.after(found)}
    for found in schedules:
        after = workflow.after(found)
        if not webhooks:
            yield Problem(
                f'Schedule trigger "{found.name}" has no webhook beside it',
                "Add a Webhook node that leads to the same node: it is what runs the workflow now.",
                found.at(),
                node_id=found.id,
            )
        elif after and not any(one_.index in by_webhooks for one_ in after):
            yield Problem(
                f'Schedule trigger "{found.name}" and the webhook lead to different nodes',
                "Connect both to the same node.",
                found.at(),
                node_id=found.id,
            )
