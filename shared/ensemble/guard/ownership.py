"""Credentials, sub-workflows and error workflows: only this deployment's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.ensemble.body import Node, parameters, type_name
from shared.ensemble.guard.context import Bodies, Context, Violation, each_node, static_text
from shared.ensemble.guard.denied import denial

_CALLERS = ("executeworkflow", "executeworkflowtool", "toolworkflow", "retrieverworkflow")
_ID_MODES = (None, "id", "list")


def allowed_types(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """No node is of a type that reaches past its installation."""
    for workflow, node in each_node(bodies):
        reason = denial(str(node.get("type")))
        if reason:
            said = f"nodes of type '{node.get('type')}' are not allowed: such a node {reason}"
            yield Violation("allowed-types", workflow, str(node.get("name")), said)


def own_credentials(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """Every credential is one a placeholder stood for, by id and by name.

    The name counts: where no credential has both the id and the type stated, n8n takes one of that name
    and type, and names of other tenants' credentials can be computed.
    """
    for workflow, node in each_node(bodies):
        stated = node.get("credentials") or {}
        entries = stated.items() if isinstance(stated, Mapping) else [("?", None)]
        for kind, entry in entries:
            if not _is_own_credential(entry, context):
                reason = f"its credential '{kind}' is not one of this installation; use a placeholder"
                yield Violation("own-credentials", workflow, str(node.get("name")), reason)


def _is_own_credential(entry: object, context: Context) -> bool:
    if not isinstance(entry, Mapping) or set(entry) != {"id", "name"}:
        return False
    return isinstance(entry["id"], str) and context.credentials.get(entry["id"]) == entry["name"]


def own_subworkflows(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """Every called workflow is a sibling, named by a constant id."""
    for workflow, node in each_node(bodies):
        if type_name(node).lower() in _CALLERS:
            reason = _call_problem(node, context)
            if reason:
                yield Violation("own-subworkflows", workflow, str(node.get("name")), reason)


def _call_problem(node: Node, context: Context) -> str | None:
    stated = parameters(node)
    if stated.get("source", "database") != "database":
        return "it takes a workflow from a file, a URL or its parameters; use a SUBWKFL placeholder"
    given = stated.get("workflowId")
    if isinstance(given, Mapping):
        if given.get("mode") not in _ID_MODES:
            return "it names a workflow by something else than its id; use a SUBWKFL placeholder"
        given = given.get("value")
    target = static_text(given)
    if target is None:
        return "it computes the workflow to call; use a SUBWKFL placeholder"
    if target not in context.workflow_ids:
        return f"it calls workflow '{target}', which is not part of this deployment"
    return None


def own_error_workflow(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """Errors go to the organization's error workflow or nowhere."""
    for workflow, body in bodies.items():
        given = body["settings"].get("errorWorkflow")
        if given not in (None, "", context.error_workflow_id):
            reason = "its errorWorkflow is not the organization's; use the ERROR_WORKFLOW_ID placeholder"
            yield Violation("own-error-workflow", workflow, None, reason)


def own_callers(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """Only siblings may call a workflow."""
    for workflow, body in bodies.items():
        settings = body["settings"]
        listed = [part.strip() for part in str(settings.get("callerIds") or "").split(",") if part.strip()]
        closed = settings.get("callerPolicy") in ("none", "workflowsFromAList")
        if not closed or not context.workflow_ids.issuperset(listed):
            reason = "it may be called by workflows of other deployments"
            yield Violation("own-callers", workflow, None, reason)
