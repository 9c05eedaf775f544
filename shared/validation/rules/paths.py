"""Layer 1: where data comes from and where it goes (platform §23.3)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.pattern import pattern
from shared.validation.engine.examples import INIT, SUBMIT, codika, node, one, parent, webhook, written
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow, reachable
from shared.validation.rules.kinds import begins_runs, changes_data, may_be_last, uses_data

_KEYS = ("eventId", "messageId", "idempotencyKey")
_GUARD = pattern(r"(?i:event_?id|message_?id|idempotency)")

_STORE = node("Store the order", "supabase", alwaysOutputData=True)
_PLAIN = node("Add the total", "set")


@rule(
    "R3",
    Severity.SHOULD,
    Layer.LINT,
    excluded=True,
    bad=one(lambda: parent(_STORE)),
    good=one(lambda: parent(node("Skip what is known", "filter", {"field": "={{ $json.eventId }}"}), _STORE)),
)
def changes_are_made_once(workflow: Workflow) -> Iterator[Problem]:
    """What changes data looks at what tells one event from another, itself or before it.

    Whoever calls a webhook calls again when no answer comes. Many changes may be made twice without harm;
    that is why this rule is left out by default.
    """
    if not any(map(begins_runs, workflow.nodes)):
        return
    guarded = reachable(filter(_guards, workflow.nodes), workflow.after)
    for found in workflow.nodes:
        if changes_data(found) and found.index not in guarded:
            yield Problem(
                f'The mutation path ending at "{found.name}" appears to be missing an idempotency guard',
                f"Use what is the same when the event comes again, such as {', '.join(_KEYS)}.",
                found.at(),
                node_id=found.id,
            )


def _guards(found: Node) -> bool:
    return any(_GUARD.search(given.text) for given in found.texts())


@rule(
    "R5",
    Severity.SHOULD,
    Layer.LINT,
    excluded=True,
    bad=one(
        lambda: written(
            [webhook(), INIT, SUBMIT, _PLAIN],
            {"Orders arrive": ["Codika Init"], "Codika Init": ["Submit Result"]},
        )
    ),
    good=one(
        lambda: written(
            [webhook(), INIT, codika("Return the result", "submitResult")],
            {"Orders arrive": ["Codika Init"], "Codika Init": ["Return the result"]},
        )
    ),
)
def nodes_lead_somewhere(workflow: Workflow) -> Iterator[Problem]:
    """A node leads to another, unless it is one that things end with: an answer, a message, a note.

    The nodes by which the platform learns how a run ended are not known here as ends; that is why this rule
    is left out by default.
    """
    if len(workflow.nodes) <= 1:
        return
    for found in workflow.nodes:
        if not workflow.after(found) and not may_be_last(found):
            yield Problem(
                f'Node "{found.name}" has no outgoing connections',
                "Connect it to what comes next, or remove it.",
                found.at(),
                node_id=found.id,
            )


@rule(
    "R8",
    Severity.NIT,
    Layer.LINT,
    excluded=True,
    bad=one(lambda: parent(_PLAIN)),
    good=one(lambda: parent(_PLAIN, node("Tell the team", "slack", retryOnFail=True))),
)
def data_is_used(workflow: Workflow) -> Iterator[Problem]:
    """What a node makes reaches one that writes, sends or answers it.

    What is submitted to the platform is not known here as used; that is why this rule is left out by default.
    """
    users = [found for found in workflow.nodes if uses_data(found)]
    leading = reachable((before for found in users for before in workflow.before(found)), workflow.before)
    for found in workflow.nodes:
        if workflow.after(found) and not may_be_last(found) and found.index not in leading:
            yield Problem(
                f'Node "{found.name}" produces data that never reaches any consumer',
                "Lead it to a node that writes, sends or answers it, or remove it.",
                found.at(),
                node_id=found.id,
            )
