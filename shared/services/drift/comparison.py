"""What is otherwise in n8n, or in our documents, than the record of a deployment says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.ensemble.difference.nodes import connection_changes, node_changes
from shared.model.deployment import N8nWorkflowOwner, WorkflowRow
from shared.model.document import Document
from shared.model.endpoint import Endpoint
from shared.n8n.workflows import WorkflowState, WorkflowVersion


class Drift(StrEnum):
    """A way of being otherwise."""

    MISSING = "missing"
    ARCHIVED = "archived"
    NOT_PUBLISHED = "not_published"
    PUBLISHED = "published"
    OTHER_VERSION = "other_version"
    DRAFT_EDITED = "draft_edited"
    RENAMED = "renamed"
    SETTINGS_CHANGED = "settings_changed"
    NOT_ANSWERING = "not_answering"
    ENDPOINT = "endpoint"
    OWNER = "owner"


_MESSAGES: Mapping[Drift, str] = {
    Drift.MISSING: "The workflow is gone from n8n.",
    Drift.ARCHIVED: "The workflow was archived in n8n.",
    Drift.NOT_PUBLISHED: "The workflow is not published in n8n, so nothing starts it.",
    Drift.PUBLISHED: "The workflow is published in n8n, though this process instance is not active.",
    Drift.OTHER_VERSION: "Another version of the workflow is published in n8n than was deployed.",
    Drift.DRAFT_EDITED: "The workflow was edited in n8n; what was deployed still runs.",
    Drift.RENAMED: "The workflow has another name in n8n.",
    Drift.SETTINGS_CHANGED: "The workflow has other settings in n8n.",
    Drift.NOT_ANSWERING: "n8n takes no calls to the workflow's webhooks, though it is published.",
    Drift.ENDPOINT: "The platform's endpoint of the workflow is missing or leads elsewhere.",
    Drift.OWNER: "The platform does not know the workflow in n8n as this installation's.",
}


class Finding(Document):
    """Something that is otherwise. ``details`` name the nodes and connections that differ, never values."""

    code: Drift
    message: str
    details: list[str] = []


@dataclass(frozen=True, slots=True)
class Actual:
    """What there is of one workflow.

    ``state`` is ``None`` for one that n8n does not have. ``deployed`` is the version that was deployed and
    ``live`` the one n8n is to run, where n8n keeps them. ``answers``: its webhooks are registered.
    ``owner`` is the one that names this installation.
    """

    state: WorkflowState | None
    deployed: WorkflowVersion | None = None
    live: WorkflowVersion | None = None
    answers: bool = True
    endpoint: Endpoint | None = None
    owner: N8nWorkflowOwner | None = None


def findings(
    row: WorkflowRow, actual: Actual, deployment_id: str, *, running: bool, shows_nodes: bool
) -> list[Finding]:
    """Return what is otherwise with one workflow of the deployment that runs.

    ``running``: the installation is active. ``shows_nodes``: its nodes may be named to the caller.
    """
    in_documents = _in_documents(row, actual, deployment_id, running)
    state = actual.state
    if state is None:
        return [_finding(Drift.MISSING), *in_documents]
    if state.is_archived:
        return [_finding(Drift.ARCHIVED), *in_documents]
    return [*_in_n8n(row, actual, state, running, shows_nodes), *in_documents]


def _in_n8n(
    row: WorkflowRow, actual: Actual, state: WorkflowState, running: bool, shows_nodes: bool
) -> list[Finding]:
    found: list[Finding] = []
    if running and state.active_version_id is None:
        found.append(_finding(Drift.NOT_PUBLISHED))
    elif not running and state.active_version_id is not None:
        found.append(_finding(Drift.PUBLISHED))
    elif running and state.active_version_id != row.n8n_version_id:
        found.append(_finding(Drift.OTHER_VERSION, _edits(actual.deployed, actual.live, shows_nodes)))
    elif running and not actual.answers:
        found.append(_finding(Drift.NOT_ANSWERING))
    if state.version_id not in (row.n8n_version_id, state.active_version_id):
        draft = WorkflowVersion(version_id=state.version_id, nodes=state.nodes, connections=state.connections)
        found.append(_finding(Drift.DRAFT_EDITED, _edits(actual.deployed, draft, shows_nodes)))
    if row.n8n_name is not None and state.name != row.n8n_name:
        found.append(_finding(Drift.RENAMED))
    settings = row.n8n_settings or {}
    if others := [name for name, value in settings.items() if state.settings.get(name) != value]:
        found.append(_finding(Drift.SETTINGS_CHANGED, sorted(others)))
    return found


def _edits(before: WorkflowVersion | None, after: WorkflowVersion | None, shows_nodes: bool) -> list[str]:
    """Return the nodes and connections that differ, by name; none when a version is not known any more."""
    if before is None or after is None or not shows_nodes:
        return []
    nodes = node_changes(list(before.nodes), list(after.nodes))
    connections = connection_changes(before.connections, after.connections)
    return [
        *(f"node '{node.name}' {node.kind}" for node in nodes),
        *(f"connection {one.connection} {one.kind}" for one in connections),
    ]


def _in_documents(row: WorkflowRow, actual: Actual, deployment_id: str, running: bool) -> list[Finding]:
    endpoint, owner = actual.endpoint, actual.owner
    led = endpoint and (endpoint.n8n_workflow_id, endpoint.deployment_instance_id, endpoint.is_active)
    found = [] if led == (row.n8n_workflow_id, deployment_id, running) else [_finding(Drift.ENDPOINT)]
    knows = owner is not None and owner.workflow_id == row.workflow_id
    return found if knows else [*found, _finding(Drift.OWNER)]


def _finding(code: Drift, details: list[str] | None = None) -> Finding:
    return Finding(code=code, message=_MESSAGES[code], details=details or [])
