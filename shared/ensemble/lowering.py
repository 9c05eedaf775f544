"""From a resolved workflow document to the body n8n's API accepts."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping

from shared.ensemble.body import (
    NODE_KEYS,
    SETTINGS_KEYS,
    Node,
    WorkflowBody,
    is_subworkflow,
    parameters,
    type_name,
)
from shared.ensemble.naming import Origin
from shared.errors import InvalidWorkflowJson
from shared.model.node_types import OPERATIONS_OF_OLD_TYPES

_CODIKA = "n8n-nodes-codika.codika"
_REPORTS = ("submitResult", "reportError")
_REPORTING_RESOURCES = ("workflowOutputs", "errorHandling")
"""Of a node that leaves its operation at the only one there is."""
_REPEATED: Node = {"retryOnFail": True, "maxTries": 5, "waitBetweenTries": 3000}
"""For twelve seconds; n8n allows twenty at most."""
_WEBHOOK_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_NOT_REACHED_BY_WEBHOOK = frozenset(
    {
        "scheduleTrigger",
        "manualTrigger",
        "manualChatTrigger",
        "errorTrigger",
        "executeWorkflowTrigger",
        "workflowTrigger",
        "evaluationTrigger",
        "n8nTrigger",
    }
)


def lower(
    document: Mapping[str, object],
    origin: Origin,
    *,
    credentials: Mapping[str, str],
    error_workflow_id: str | None = None,
    caller_ids: Iterable[str] = (),
) -> WorkflowBody:
    """Return the body to send to n8n; the same input gives the same body, to the byte.

    ``credentials`` (id → name) gives every known credential its real name, whatever the author wrote: n8n
    falls back to names. ``error_workflow_id`` is set where a workflow names none, sub-workflows excepted:
    their errors reach the parent. The execution order is v1 unless stated. ``caller_ids`` are the n8n ids
    of the siblings that call this one; nobody else may. Ids not known yet are added by lowering again once
    they are. Nodes that report a run's end try again unless their author decided that.
    Raises :class:`InvalidWorkflowJson` when a node is no object.
    """
    nodes = [_node(node, origin, credentials) for node in _list(document, origin)]
    connections = document.get("connections")
    return WorkflowBody(
        name=origin.name,
        nodes=nodes,
        connections=copy.deepcopy(dict(connections)) if isinstance(connections, Mapping) else {},
        settings=_settings(document.get("settings"), nodes, error_workflow_id, caller_ids),
    )


def _list(document: Mapping[str, object], origin: Origin) -> list[Mapping[str, object]]:
    nodes = document.get("nodes")
    if not isinstance(nodes, list) or not all(isinstance(node, Mapping) for node in nodes):
        reason = "nodes is not a list of objects"
        raise InvalidWorkflowJson(f"Workflow '{origin.template_id}': {reason}.", reason=reason)
    return nodes


def _node(node: Mapping[str, object], origin: Origin, credentials: Mapping[str, str]) -> Node:
    kept = {key: value for key, value in node.items() if key in NODE_KEYS and value is not None}
    lowered: Node = copy.deepcopy(kept)
    lowered.setdefault("parameters", {})
    _modernise(lowered)
    _repeat_report(lowered)
    _name_credentials(lowered, credentials)
    _bind_webhook(lowered, origin)
    return lowered


def _modernise(node: Node) -> None:
    """Give a node that an old scaffold names by its operation the type n8n knows."""
    operation = OPERATIONS_OF_OLD_TYPES.get(type_name(node))
    if operation is not None:
        node["type"] = _CODIKA
        node["parameters"] = {"operation": operation, **parameters(node)}


def _repeat_report(node: Node) -> None:
    """Have a report that does not get through sent again; one that did is taken once (decision 0033)."""
    given = parameters(node)
    operation, resource = given.get("operation"), given.get("resource")
    reports = operation in _REPORTS or (operation is None and resource in _REPORTING_RESOURCES)
    if node.get("type") == _CODIKA and reports and "retryOnFail" not in node:
        node |= _REPEATED


def _name_credentials(node: Node, names: Mapping[str, str]) -> None:
    stated = node.get("credentials")
    if isinstance(stated, dict):
        for kind, entry in stated.items():
            given = entry.get("id") if isinstance(entry, Mapping) else None
            if isinstance(given, str) and given in names:
                stated[kind] = {"id": given, "name": names[given]}


def _bind_webhook(node: Node, origin: Origin) -> None:
    """Give webhook nodes an id of this installation: n8n derives URLs from it (platform §24 #17)."""
    given = node.get("webhookId")
    if isinstance(given, str) and given:
        # It becomes part of a URL: whatever else it holds, no slash leads out of the installation.
        if origin.instance_id not in given or not _WEBHOOK_ID.fullmatch(given):
            node["webhookId"] = origin.stable_uuid("webhook", given, str(node.get("name", "")))
    elif _is_reached_by_webhook(type_name(node)):
        node["webhookId"] = origin.stable_uuid("webhook", str(node.get("name", "")))


def _is_reached_by_webhook(name: str) -> bool:
    return name == "webhook" or (name.endswith("Trigger") and name not in _NOT_REACHED_BY_WEBHOOK)


def _settings(
    given: object, nodes: list[Node], error_workflow_id: str | None, caller_ids: Iterable[str]
) -> dict[str, object]:
    stated = given if isinstance(given, Mapping) else {}
    settings: dict[str, object] = {
        key: copy.deepcopy(value)
        for key, value in stated.items()
        if key in SETTINGS_KEYS and value is not None
    }
    # Without saved runs an error cannot be traced to its execution.
    settings.setdefault("saveDataErrorExecution", "all")
    settings.setdefault("saveDataSuccessExecution", "all")
    # What n8n runs a workflow by that says nothing is the order of years ago.
    settings.setdefault("executionOrder", "v1")
    called = is_subworkflow(nodes)
    if error_workflow_id and not called:
        settings.setdefault("errorWorkflow", error_workflow_id)
    return settings | _callers(called, caller_ids, settings)


def _callers(called: bool, caller_ids: Iterable[str], settings: dict[str, object]) -> dict[str, object]:
    settings.pop("callerIds", None)
    ids = sorted(set(caller_ids))
    if called and ids:
        return {"callerPolicy": "workflowsFromAList", "callerIds": ",".join(ids)}
    return {"callerPolicy": "none"}
