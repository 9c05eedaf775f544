"""Layer 1: what happens when a node fails (platform §23.3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from shared.validation.engine.examples import INIT, SUBMIT, node, one, parent, webhook, written
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow, object_of, reachable
from shared.validation.rules.kinds import (
    calls_service,
    can_fail,
    handles_errors,
    is_error_path,
    tells_somebody,
)

RESUME_URL = "$execution.resumeUrl"
"""What a node hands out that starts something and does not wait for it: its call must not be made twice."""

_ASK = node("Ask the shop", "httpRequest", retryOnFail=True, waitBetweenTries=1000)
_TELL = node("Tell the team", "slack", retryOnFail=True, waitBetweenTries=1000)


def retry_setting(found: Node) -> object:
    """Return what a node says of trying again, or ``None``; its options win, and then its parameters."""
    settings = found.data.get("settings")
    places = (object_of(found.parameters.get("options")), found.parameters, found.data, object_of(settings))
    return next((place["retryOnFail"] for place in places if place.get("retryOnFail") is not None), None)


def hands_out_resume_url(found: Node) -> bool:
    """Return whether what a node calls is to resume the run."""
    return RESUME_URL in json.dumps(found.parameters)


def _forked(then: dict[str, Any]) -> str:
    """Return a workflow with a request whose failures go to a node of their own."""
    nodes = [webhook(), INIT, {**_ASK, "onError": "continueErrorOutput"}, then, SUBMIT]
    edges = {
        "Orders arrive": ["Codika Init"],
        "Codika Init": ["Ask the shop"],
        then["name"]: ["Submit Result"],
    }
    return written(nodes, edges, forks={"Ask the shop": ["Submit Result", then["name"]]})


@rule(
    "R1",
    Severity.MUST,
    Layer.LINT,
    excluded=True,
    bad=one(lambda: parent(node("Ask the shop", "httpRequest"))),
    good=one(lambda: parent(_ASK)),
)
def tries_again(workflow: Workflow) -> Iterator[Problem]:
    """A node that calls a service tries again when the service fails.

    `RETRY-BACKOFF` demands the same of more services, and knows how to mend it; that is why this one is left
    out by default.
    """
    for found in workflow.nodes:
        if not calls_service(found) or hands_out_resume_url(found):
            continue
        given = retry_setting(found)
        # An expression may come out either way.
        if given is True or (isinstance(given, str) and ("{{" in given or given.strip().lower() == "true")):
            continue
        yield Problem(
            f'Node "{found.name}" is missing retry/backoff configuration',
            'Enable "Retry on Fail" in the settings of the node.',
            found.at(),
            node_id=found.id,
        )


@rule(
    "R2",
    Severity.MUST,
    Layer.LINT,
    excluded=True,
    bad=one(lambda: parent({**_ASK, "continueOnFail": True})),
    good=one(lambda: parent(_ASK)),
)
def failures_are_not_passed_over(workflow: Workflow) -> Iterator[Problem]:
    """A node that failed is not passed over as if it had not.

    What follows works on nothing, and the run is told to be a success. Nodes whose success does not matter,
    such as those that write logs, may go on; that is why this rule is left out by default.
    """
    for found in workflow.nodes:
        if found.data.get("continueOnFail") or found.data.get("onError") == "continueRegularOutput":
            yield Problem(
                f'Node "{found.name}" has continueOnFail enabled',
                "Let it stop the run, or lead its failures to nodes of their own.",
                found.at(),
                node_id=found.id,
            )


@rule(
    "R7",
    Severity.SHOULD,
    Layer.LINT,
    excluded=True,
    bad=one(lambda: _forked(node("Count it", "set"))),
    good=one(lambda: _forked(_TELL)),
)
def failures_are_told(workflow: Workflow) -> Iterator[Problem]:
    """Where failures are led to nodes of their own, one of them tells somebody, or stops with an error.

    Before the path meets the one of success again. The platform is told of failures by the organization's
    error workflow anyhow; that is why this rule is left out by default.
    """
    errors = [connection for connection in workflow.connections if is_error_path(connection)]
    if not errors:
        return
    failing = {connection.target.index for connection in errors}
    succeeding = {
        connection.target.index for connection in workflow.connections if not is_error_path(connection)
    }
    told = reachable(
        (found for found in workflow.nodes if tells_somebody(found) or handles_errors(found)),
        lambda found: (
            before for before in workflow.before(found) if before.index not in failing & succeeding
        ),
    )
    for connection in errors:
        if connection.target.index not in told:
            yield Problem(
                f'Error path from node "{connection.source.name}" has no log or alert before rejoining',
                "Add a node that sends a message, or a Stop and Error node, to the path.",
                connection.source.at(),
                node_id=connection.source.id,
            )


@rule(
    "R12",
    Severity.MUST,
    Layer.LINT,
    excluded=True,
    bad=one(lambda: parent(_ASK)),
    good=one(lambda: _forked(_TELL)),
)
def failures_lead_somewhere(workflow: Workflow) -> Iterator[Problem]:
    """What can fail has a path for failures.

    Without one the run stops, and the organization's error workflow tells the platform; that is why this rule
    is left out by default.
    """
    handled = {connection.source.index for connection in workflow.connections if is_error_path(connection)}
    for found in workflow.nodes:
        if not can_fail(found) or found.index in handled or any(map(handles_errors, workflow.after(found))):
            continue
        yield Problem(
            f'Node "{found.name}" has no error branch',
            "Connect its error output to nodes that say what happens then.",
            found.at(),
            node_id=found.id,
        )
