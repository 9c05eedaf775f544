"""What the guides advise about how nodes are connected and what they are given (platform §23.8)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.validation.engine.examples import INIT, SUBMIT, chain, codika, node, one, parent, webhook, written
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow, object_of
from shared.validation.rules.codika import ONE_INPUT, begins, ends
from shared.validation.rules.failures import hands_out_resume_url, retry_setting
from shared.validation.rules.webhooks import WEBHOOK

_LANGCHAIN = "@n8n/n8n-nodes-langchain."
_IF = "n8n-nodes-base.if"
_CREDENTIALS = {
    "openAiApi": {"id": "{{FLEXCRED_OPENAI_ID_DERCXELF}}", "name": "{{FLEXCRED_OPENAI_NAME_DERCXELF}}"}
}
_RESUMING = {"body": "={{ $execution.resumeUrl }}"}
_CHECK = node("Is it paid", "if")


def _checked(*outputs: str) -> str:
    nodes = [webhook(), INIT, _CHECK, SUBMIT, codika("Report Error", "reportError")]
    edges = {"Orders arrive": ["Codika Init"], "Codika Init": ["Is it paid"]}
    return written(nodes, edges, forks={"Is it paid": outputs})


def _subworkflow(*nodes: dict[str, object]) -> str:
    trigger = node("Called", "executeWorkflowTrigger", ONE_INPUT)
    return chain(trigger, *nodes, settings={"executionOrder": "v1"})


@rule(
    "GUIDE-IF-BRANCH",
    Severity.SHOULD,
    Layer.GUIDE,
    excluded=True,
    bad=one(lambda: _checked("Submit Result")),
    good=one(lambda: _checked("Submit Result", "Report Error")),
)
def branches_are_connected(workflow: Workflow) -> Iterator[Problem]:
    """Both branches of an IF node lead somewhere.

    A run that takes the other one ends there, and stays pending until it times out.
    """
    taken = {
        (connection.source.index, connection.output)
        for connection in workflow.connections
        if connection.channel == "main"
    }
    for found in workflow.nodes:
        if found.type == _IF:
            loose = [
                name for output, name in enumerate(("true", "false")) if (found.index, output) not in taken
            ]
            if loose:
                yield Problem(
                    f'IF node "{found.name}" has no connection from its branch {" and ".join(loose)}',
                    "Lead it to a node that ends the run, e.g. Submit Result.",
                    found.at(),
                    node_id=found.id,
                )


@rule(
    "GUIDE-MODEL-CREDENTIALS",
    Severity.SHOULD,
    Layer.GUIDE,
    excluded=True,
    bad=one(lambda: parent(node("Judge it", f"{_LANGCHAIN}chainLlm", credentials=_CREDENTIALS))),
    good=one(lambda: parent(node("Model", f"{_LANGCHAIN}lmChatOpenAi", credentials=_CREDENTIALS))),
)
def models_hold_the_credentials(workflow: Workflow) -> Iterator[Problem]:
    """Credentials of a language model are those of the model node, not of the chain or agent it serves.

    Chains and agents do not look at theirs.
    """
    for found in workflow.nodes:
        kind = found.short_type.lower()
        is_served = found.type.startswith(_LANGCHAIN) and (kind.startswith("chain") or "agent" in kind)
        if is_served and object_of(found.data.get("credentials")):
            yield Problem(
                f'Node "{found.name}" has credentials that belong to its model node',
                "Move them to the model that is connected to it.",
                found.at("credentials"),
                node_id=found.id,
            )


@rule(
    "GUIDE-RESUME-RETRY",
    Severity.SHOULD,
    Layer.GUIDE,
    excluded=True,
    bad=one(lambda: parent(node("Begin", "httpRequest", _RESUMING, retryOnFail=True, waitBetweenTries=1000))),
    good=one(lambda: parent(node("Begin", "httpRequest", _RESUMING))),
)
def what_resumes_is_called_once(workflow: Workflow) -> Iterator[Problem]:
    """A node that hands out the address at which the run is resumed does not try again.

    What it starts runs on its own; started twice, it resumes the run twice.
    """
    for found in workflow.nodes:
        if retry_setting(found) is True and hands_out_resume_url(found):
            yield Problem(
                f'Node "{found.name}" tries again what is to resume the run',
                "Turn off retryOnFail.",
                found.at("retryOnFail"),
                node_id=found.id,
            )


@rule(
    "GUIDE-SUBWORKFLOW-NODES",
    Severity.SHOULD,
    Layer.GUIDE,
    excluded=True,
    bad=one(lambda: _subworkflow(SUBMIT)),
    good=one(lambda: _subworkflow(node("Price it", "set"))),
)
def subworkflows_leave_runs_alone(workflow: Workflow) -> Iterator[Problem]:
    """A sub-workflow neither begins nor ends a run: its caller does.

    What it submits ends the caller's run while that goes on.
    """
    for found in workflow.nodes if workflow.is_subworkflow else ():
        if begins(found) or ends(found):
            yield Problem(
                f'Sub-workflow has the Codika node "{found.name}" ({found.operation})',
                "Remove it: what the last node gives out is what the caller gets.",
                found.at(),
                node_id=found.id,
            )


@rule(
    "GUIDE-INIT-FIRST",
    Severity.SHOULD,
    Layer.GUIDE,
    excluded=True,
    bad=one(lambda: chain(webhook(), node("Add the total", "set"), INIT, SUBMIT)),
    good=one(lambda: parent(node("Add the total", "set"))),
)
def init_comes_first(workflow: Workflow) -> Iterator[Problem]:
    """An Init node directly follows a trigger.

    What fails before it fails without a run that could tell of it.
    """
    for found in workflow.nodes:
        if begins(found) and not any(map(_is_trigger, workflow.before(found))):
            yield Problem(
                f'Init node "{found.name}" does not directly follow a trigger',
                "Connect the trigger to it, and move what stands in between behind it.",
                found.at(),
                node_id=found.id,
            )


def _is_trigger(found: Node) -> bool:
    return found.type == WEBHOOK or "trigger" in found.lower_type
